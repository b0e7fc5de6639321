import { defineOperation, type Reply } from '@parley/keyspace/operation';
import { MARK } from './move-keys.ts';

const done = (reply: Reply): boolean => reply === 1;

/** Keys and arguments of each are in its Lua file. */
export const takeAside = defineOperation<boolean>({
  name: 'move-take',
  lua: new URL('./move-take.lua', import.meta.url),
  js(view, [mark = '', index = '', ...pairs], [id = '', account = '']) {
    if (view.get(mark) !== undefined) return 0;
    view.set(mark, id);
    view.srem(index, account);
    for (let place = 0; place + 1 < pairs.length; place += 2) {
      view.rename(pairs[place] as string, pairs[place + 1] as string);
    }
    return 1;
  },
  result: done,
});

/** How many entries have come by now, or -1 where the move is over. */
export const adopt = defineOperation<number>({
  name: 'move-adopt',
  lua: new URL('./move-adopt.lua', import.meta.url),
  js(view, [target = '', arriving = ''], [id, kind, name, from, ...entries]) {
    if (view.hget(arriving, MARK)?.toString() !== String(id)) return -1;
    const first = Number(from);
    const come = Number(view.hget(arriving, String(name)) ?? 0);
    if (come !== first) return come;
    let count = entries.length;
    switch (String(kind)) {
      case 'hash':
        count /= 2;
        for (let place = 0; place < entries.length; place += 2) {
          const [field, value] = [String(entries[place]), entries[place + 1] as Buffer];
          if (view.hget(target, field) === undefined) view.hset(target, [[field, value]]);
        }
        break;
      case 'list':
        for (const entry of entries) view.rpush(target, entry);
        break;
      case 'set':
        for (const entry of entries) view.sadd(target, entry);
        break;
      default:
        if (view.get(target) === undefined) view.set(target, entries[0] as Buffer);
    }
    view.hset(arriving, [[String(name), String(first + count)]]);
    return first + count;
  },
  result: Number,
});

/** False where what is known of the move is not true any more. */
export const writeMove = defineOperation<boolean>({
  name: 'move-record',
  lua: new URL('./move-record.lua', import.meta.url),
  js(view, [moves = ''], [from, known, next = '']) {
    const field = String(from);
    if ((view.hget(moves, field) ?? '').toString() !== String(known)) return 0;
    if (next.length === 0) view.hdel(moves, field);
    else view.hset(moves, [[field, next]]);
    return 1;
  },
  result: done,
});

/** False where somebody else moves accounts. */
export const leaseMoves = defineOperation<boolean>({
  name: 'move-lease',
  lua: new URL('./move-lease.lua', import.meta.url),
  js(view, [key = ''], [who = '', milliseconds]) {
    const holder = view.get(key);
    if (holder !== undefined && String(holder) !== String(who)) return 0;
    if (Number(milliseconds) === 0) view.del(key);
    else view.set(key, who, { px: Number(milliseconds) });
    return 1;
  },
  result: done,
});
