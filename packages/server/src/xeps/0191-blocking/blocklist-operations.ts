import { defineOperation, type Reply } from '@parley/keyspace/operation';

const texts = (reply: Reply): string[] => (reply as Buffer[]).map(String);

/** Adds addresses to an account's blocklist, all or none: those that are new, or `full`. */
export const blockAddresses = defineOperation<string[] | 'full'>({
  name: 'blocklist-block',
  lua: new URL('./blocklist-block.lua', import.meta.url),
  js(view, [list = ''], [most, ...jids]) {
    const added = jids.map(String).filter((jid) => view.hget(list, jid) === undefined);
    if (view.hlen(list) + added.length > Number(most)) return -1;
    if (added.length > 0)
      view.hset(
        list,
        added.map((jid): [string, string] => [jid, '']),
      );
    return added;
  },
  result: (reply) => (reply === -1 ? 'full' : texts(reply)),
});

/** Takes addresses off an account's blocklist, or all where none is named: those that were on it. */
export const unblockAddresses = defineOperation<string[]>({
  name: 'blocklist-unblock',
  lua: new URL('./blocklist-unblock.lua', import.meta.url),
  js(view, [list = ''], jids) {
    if (jids.length > 0) return jids.map(String).filter((jid) => view.hdel(list, jid) === 1);
    const all = [...view.hgetall(list).keys()];
    view.del(list);
    return all;
  },
  result: texts,
});
