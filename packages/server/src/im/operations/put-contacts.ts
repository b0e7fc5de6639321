import { defineOperation } from '@parley/keyspace/operation';
import { HEAD, readHead } from './change-roster.ts';

/** Puts contacts into a roster that is what the caller knows. Its keys and arguments are in the Lua file. */
export const putContacts = defineOperation<boolean>({
  name: 'put-contacts',
  lua: new URL('./put-contacts.lua', import.meta.url),
  js(view, [roster = ''], args) {
    const [known = '', ...pairs] = args.map(String);
    const head = view.hget(roster, HEAD);
    if (String(head ?? '') !== known) return 0;
    const [before, removal] = readHead(head);
    const last = Math.max(before + 1, view.now());
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      view.hset(roster, [[pairs[i] as string, `${last}\0${pairs[i + 1]}`]]);
    }
    view.hset(roster, [[HEAD, `${last} ${removal}`]]);
    return 1;
  },
  result: (reply) => reply === 1,
});
