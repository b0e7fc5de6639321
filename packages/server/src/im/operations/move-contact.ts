import { defineOperation } from '@parley/keyspace/operation';
import { HEAD, readHead } from './change-roster.ts';

/** Gives a contact another address. Its keys and arguments are in the Lua file; 0 where the items are not as known. */
export const moveContact = defineOperation<number>({
  name: 'move-contact',
  lua: new URL('./move-contact.lua', import.meta.url),
  js(view, [roster = ''], args) {
    const [from = '', to = '', fromVersion, toVersion, item = ''] = args.map(String);
    const version = (contact: string) => {
      const kept = view.hget(roster, contact);
      return kept === undefined ? '' : kept.toString('latin1', 0, kept.indexOf(0));
    };
    if (version(from) !== fromVersion || version(to) !== toVersion) return 0;
    const [before] = readHead(view.hget(roster, HEAD));
    const last = Math.max(before + 1, view.now());
    view.hdel(roster, from);
    if (item !== '') view.hset(roster, [[to, `${last}\0${item}`]]);
    view.hset(roster, [[HEAD, `${last} ${last}`]]);
    return last;
  },
  result: Number,
});
