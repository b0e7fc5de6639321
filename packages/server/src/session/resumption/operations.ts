import { defineOperation, type Reply } from '@parley/keyspace/operation';
import { countsOf } from './journal-counts.ts';
import { boundAtOf, ownerOf } from './resumption-record.ts';

const done = (reply: Reply): boolean => reply === 1;

/** Whether the record is that of the session and epoch that the fence tells. */
const isOwned = (record: Buffer | undefined, fence: Buffer): boolean =>
  record?.subarray(1, 1 + fence.length).equals(fence) ?? false;

// The keys and arguments of each are told in its Lua file.

/** Replaces a session's record: false where the session is somebody else's or gone. */
export const updateSession = defineOperation<boolean>({
  name: 'update-session',
  lua: new URL('./update-session.lua', import.meta.url),
  js(view, [sessions = ''], [resource, fence = NOTHING, record = NOTHING]) {
    const field = String(resource);
    if (!isOwned(view.hget(sessions, field), fence)) return 0;
    view.hset(sessions, [[field, record]]);
    return 1;
  },
  result: done,
});

/** Records a new session that can be resumed: false where it is over already. */
export const openSession = defineOperation<boolean>({
  name: 'open-session',
  lua: new URL('./open-session.lua', import.meta.url),
  js(view, [sessions = '', journal = '', index = '', over = ''], args) {
    const [resource, record = NOTHING, member = '', header = NOTHING, memberBefore = ''] = args;
    if (view.get(over) !== undefined) return 0;
    view.hset(sessions, [[String(resource), record]]);
    view.del(journal);
    view.rpush(journal, header);
    view.srem(index, memberBefore);
    view.sadd(index, member);
    return 1;
  },
  result: done,
});

/** Which session a resource had before, whose it is, and since when it had the resource. */
export interface SessionBefore {
  readonly sid: string;
  readonly owner: string;
  readonly boundAt: number;
}

export const beforeOf = (record: Buffer): SessionBefore => ({
  sid: record.toString('hex', 1, 9),
  owner: ownerOf(record),
  boundAt: boundAtOf(record),
});

/** Records a new session, whatever the resource had before, which is told. */
export const registerSession = defineOperation<SessionBefore | undefined>({
  name: 'register-session',
  lua: new URL('./register-session.lua', import.meta.url),
  js(view, [sessions = '', index = '', over = ''], [resource, record = NOTHING, member = '']) {
    if (view.get(over) !== undefined) return null;
    const field = String(resource);
    const before = view.hget(sessions, field);
    if (isOwned(before, record.subarray(1, 1 + SESSION_BYTES))) return null;
    view.hset(sessions, [[field, record]]);
    view.sadd(index, member);
    return before;
  },
  result: (reply) => (reply === null ? undefined : beforeOf(reply as Buffer)),
});

/** Records a new queue to another server, unless there is one, which is told; be it this one, which was recorded before. */
export const openQueue = defineOperation<SessionBefore | undefined>({
  name: 'open-queue',
  lua: new URL('./open-queue.lua', import.meta.url),
  js(view, [queues = '', journal = '', index = ''], [resource, record = NOTHING, member = '', header = NOTHING]) {
    const field = String(resource);
    const found = view.hget(queues, field);
    if (found !== undefined) return found;
    view.hset(queues, [[field, record]]);
    view.del(journal);
    view.rpush(journal, header);
    view.sadd(index, member);
    return null;
  },
  result: (reply) => (reply === null ? undefined : beforeOf(reply as Buffer)),
});

/** Gives a session to a new owner: false where somebody else has it, or it is not as the caller knows it. */
export const takeOver = defineOperation<boolean>({
  name: 'take-over',
  lua: new URL('./take-over.lua', import.meta.url),
  js(view, [sessions = '', from = '', to = '', index = ''], args) {
    const [resource, fence = NOTHING, newFence = NOTHING, member = '', newMember = '', length] = args;
    const [first = NOTHING, last = NOTHING, seen = NOTHING, record = NOTHING, ...elements] = args.slice(6);
    const field = String(resource);
    const kept = view.hget(sessions, field);
    if (kept === undefined) return 0;
    if (isOwned(kept, newFence)) {
      const found = view.lrange(to, 0, -1);
      if (found.length !== elements.length) return 0;
      return found.every((element, place) => element.equals(elements[place] ?? NOTHING));
    }
    if (!isOwned(kept, fence)) return 0;
    if (String(length) !== '') {
      if (view.llen(from) !== Number(length)) return 0;
      if (!view.lrange(from, 0, 0)[0]?.equals(first) || !view.lrange(from, -1, -1)[0]?.equals(last)) return 0;
      if (!kept.equals(seen)) return 0;
    }
    const same = () => Buffer.concat([kept.subarray(0, 1), newFence, kept.subarray(1 + fence.length + OWNER_BYTES)]);
    view.hset(sessions, [[field, record.length > 0 ? record : same()]]);
    view.del(from, to);
    view.rpush(to, ...elements);
    view.srem(index, member);
    view.sadd(index, newMember);
    return 1;
  },
  result: done,
});

/** Makes a session what its owner says that it is, whatever became of it in the keyspace: false where that is not as seen. */
export const reassertSession = defineOperation<boolean>({
  name: 'reassert-session',
  lua: new URL('./reassert-session.lua', import.meta.url),
  js(view, [sessions = '', stored = '', own = '', journal = '', index = ''], args) {
    const [resource, seen = NOTHING, record = NOTHING, storedMember = '', ownMember = '', member = ''] = args;
    const field = String(resource);
    if (!(view.hget(sessions, field) ?? NOTHING).equals(seen)) return 0;
    view.hset(sessions, [[field, record]]);
    view.del(stored, own, journal);
    const elements = args.slice(6);
    if (elements.length > 0) view.rpush(journal, ...elements);
    view.srem(index, storedMember, ownMember);
    view.sadd(index, member);
    return 1;
  },
  result: done,
});

/** Ends a session and tells the elements of its journal: undefined where it is somebody else's or gone. */
export const endSession = defineOperation<readonly Buffer[] | undefined>({
  name: 'end-session',
  lua: new URL('./end-session.lua', import.meta.url),
  js(
    view,
    [sessions = '', journal = '', index = '', handled = '', waiting = '', waitingIndex = '', counts = ''],
    args,
  ) {
    const [resource, fence = NOTHING, member = '', waitingMember = '', milliseconds, overMilliseconds] = args;
    const field = String(resource);
    const kept = view.hget(sessions, field);
    const owned = isOwned(kept, fence);
    const elements = view.lrange(journal, 0, -1);
    const [header] = elements;
    view.srem(index, member);
    if (header === undefined) {
      // what would record it still is on its way perhaps; another epoch of it may live
      const lives = !owned && isOwned(kept, fence.subarray(0, SESSION_BYTES));
      if (!lives && view.get(handled) === undefined) view.set(handled, '', { px: Number(overMilliseconds) });
      if (!owned) return null;
    }

    if (owned) view.hdel(sessions, field);
    if (header !== undefined) {
      const add = (field: string, number: number) => number > 0 && view.hincrby(counts, field, number);
      for (const [field, number] of Object.entries(countsOf(elements))) add(field, number);
      view.set(handled, header.subarray(1, 5), { px: Number(milliseconds) });
      view.lpop(journal);
      if (elements.length > 1) {
        add('moved', view.llen(waiting));
        view.rename(journal, waiting);
        view.sadd(waitingIndex, waitingMember);
      }
    }
    return elements;
  },
  result: (reply) => (reply === null ? undefined : (reply as Buffer[])),
});

/** Lets go of waiting entries, all but the last few, and tells how many. */
export const keepWaiting = defineOperation<number>({
  name: 'keep-waiting',
  lua: new URL('./keep-waiting.lua', import.meta.url),
  js(view, [waiting = '', index = '', counts = ''], [left, member = '']) {
    const over = Math.max(0, view.llen(waiting) - Number(left));
    if (over > 0) {
      view.lpop(waiting, over);
      view.hincrby(counts, 'moved', over);
    }
    if (view.llen(waiting) === 0) view.srem(index, member);
    return over;
  },
  result: Number,
});

/** A record and a fence begin with the session. */
const SESSION_BYTES = 8;
/** The owner stands in a record behind session and epoch. */
const OWNER_BYTES = 8;

const NOTHING = Buffer.alloc(0);
