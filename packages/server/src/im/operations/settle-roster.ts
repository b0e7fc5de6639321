import { defineOperation } from '@parley/keyspace/operation';
import { HEAD, readHead } from './change-roster.ts';

/** Makes one roster of items that came from elsewhere. Its keys and arguments are in the Lua file. */
export const settleRoster = defineOperation<boolean>({
  name: 'settle-roster',
  lua: new URL('./settle-roster.lua', import.meta.url),
  js(view, [roster = ''], own) {
    for (const account of own) view.hdel(roster, String(account));
    const items = view.hgetall(roster);
    if (items.size === 0) return 0;
    let last = 0;
    for (const text of items.values()) last = Math.max(last, Number.parseInt(text.toString('latin1', 0, 16), 10));
    last = Math.max(readHead(items.get(HEAD))[0], last, view.now() - 1) + 1;
    view.hset(roster, [[HEAD, `${last} ${last}`]]);
    return 1;
  },
  result: (reply) => reply === 1,
});
