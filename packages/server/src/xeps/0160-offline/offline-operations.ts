import { defineOperation } from '@parley/keyspace/operation';
import { serialDistance } from '@parley/xmpp/serial';
import { isReceiving } from '../../session/resumption/resumption-record.ts';

const OUTCOMES = ['stored', 'too many messages', 'too many bytes', 'somebody is there'] as const;

export type OfflineOutcome = (typeof OUTCOMES)[number];

/** The Lua names it as a number, too. */
const MOST_SENDERS = 256;

/** The half of the senders that was heard of longest ago, and first of all those of whom it was not noted when that was. */
function longestAgo(senders: ReadonlyMap<string, Buffer>): string[] {
  const heard = [...senders].map(([sender, last]) => ({ sender, at: Number(String(last).split('.')[1] ?? 0) }));
  heard.sort((one, other) => one.at - other.at || (one.sender < other.sender ? -1 : 1));
  return heard.slice(0, MOST_SENDERS / 2).map(({ sender }) => sender);
}

/** Adds a message to what is kept for an account, where it fits. Its keys and arguments are in the Lua file. */
export const storeOffline = defineOperation<OfflineOutcome>({
  name: 'offline-store',
  lua: new URL('./offline-store.lua', import.meta.url),
  js(view, [list = '', state = '', senders = '', sessions = ''], args) {
    const [text = Buffer.alloc(0), messages, bytes, sid, k, remembered, look] = args;
    const [mostMessages, mostBytes] = [Number(messages), Number(bytes)];
    const sender = String(sid ?? '');
    const known = sender === '' ? undefined : view.hget(senders, sender);
    if (known !== undefined && serialDistance(Number(k), Number.parseInt(String(known), 10)) <= 0) return 0; // it has come before
    if (String(look) === '1') {
      for (const record of view.hgetall(sessions).values()) if (isReceiving(record)) return 3;
    }
    const before = Number(view.hget(state, 'bytes') ?? 0);
    if (mostMessages >= 0 && view.llen(list) >= mostMessages) return 1;
    if (mostBytes >= 0 && before + text.length > mostBytes) return 2;
    // Numbers begin anew with the time, so that they never meet those of messages that are gone.
    if (view.hget(state, 'first') === undefined) view.hset(state, [['first', String(view.now() * 1000)]]);
    view.rpush(list, text);
    view.hincrby(state, 'bytes', text.length);
    if (sender !== '') {
      if (known === undefined && view.hlen(senders) >= MOST_SENDERS)
        view.hdel(senders, ...longestAgo(view.hgetall(senders)));
      view.hset(senders, [[sender, `${k}.${view.now()}`]]);
      view.pexpire(senders, Number(remembered));
    }
    return 0;
  },
  result: (reply) => OUTCOMES[reply as number] as OfflineOutcome,
});

/** Puts a message back that may be missing. Its keys and arguments are in the Lua file. */
export const restoreOffline = defineOperation<void>({
  name: 'offline-restore',
  lua: new URL('./offline-restore.lua', import.meta.url),
  js(view, [list = '', state = '', senders = ''], args) {
    const [text = Buffer.alloc(0), prefix = Buffer.alloc(0), sid, k, remembered, restored] = args;
    const [sender, mark, now] = [String(sid), `before ${sid}`, view.now()];
    const highest = (kept: Buffer | undefined) => (kept === undefined ? -1 : Number.parseInt(String(kept), 10));
    const came = (most: number) => most >= 0 && serialDistance(Number(k), most) <= 0;
    const known = view.hget(senders, sender);
    let before = view.hget(senders, mark);
    if (now - Number(String(before).split('.')[1]) > Number(restored)) before = undefined;
    let message = text;
    if (came(highest(known))) {
      if (before === undefined || came(highest(before))) return 1;
      const isThere = (kept: Buffer) => kept.equals(text) || kept.subarray(0, prefix.length).equals(prefix);
      if (view.lrange(list, 0, -1).some(isThere)) return 1;
    } else {
      message = Buffer.concat([prefix, text]);
      if (known !== undefined || view.hlen(senders) < MOST_SENDERS) {
        if (before === undefined) view.hset(senders, [[mark, `${highest(known)}.${now}`]]);
        view.hset(senders, [[sender, `${k}.${now}`]]);
        view.pexpire(senders, Number(remembered));
      }
    }
    if (view.hget(state, 'first') === undefined) view.hset(state, [['first', String(now * 1000)]]);
    view.rpush(list, message);
    view.hincrby(state, 'bytes', message.length);
    return 1;
  },
  result: () => undefined,
});

/** Takes away the oldest messages that are kept for an account, up to a number; twice is as good as once. */
export const removeOffline = defineOperation<number>({
  name: 'offline-remove',
  lua: new URL('./offline-remove.lua', import.meta.url),
  js(view, [list = '', state = ''], [upTo]) {
    const first = view.hget(state, 'first');
    const count = first === undefined ? 0 : Number(upTo) - Number(first);
    if (count <= 0) return 0;
    const gone = view.lpop(list, count);
    const bytes = gone.reduce((sum, text) => sum + text.length, 0);
    if (view.llen(list) === 0) {
      view.del(state);
    } else {
      view.hset(state, [['first', String(upTo)]]);
      view.hincrby(state, 'bytes', -bytes);
    }
    return gone.length;
  },
  result: Number,
});
