import { defineOperation } from '@parley/keyspace/operation';

export type Replaced = 'done' | 'changed' | 'full';

/** Changes what is kept of a client, where it is what it was. */
export const replaceClient = defineOperation<Replaced>({
  name: 'replace-client',
  lua: new URL('./replace-client.lua', import.meta.url),
  js(view, [key = ''], [client = '', before = '', after = '', most = '', ttl = '']) {
    const field = String(client);
    const found = String(view.hget(key, field) ?? '');
    if (found !== String(before)) return 0;
    if (String(after) === '') {
      view.hdel(key, field);
      return 1;
    }
    if (found === '' && view.hlen(key) >= Number(most)) return 2;
    view.hset(key, [[field, after as Buffer]]);
    view.pexpire(key, Number(ttl));
    return 1;
  },
  result: (reply) => (reply === 1 ? 'done' : reply === 2 ? 'full' : 'changed'),
});
