import { defineOperation } from '@parley/keyspace/operation';
import { serialDistance } from '@parley/xmpp/serial';
import { isReceiving } from '../../session/resumption/resumption-record.ts';

const OUTCOMES = ['stored', 'too many messages', 'too many bytes', 'somebody is there'] as const;

export type OfflineOutcome = (typeof OUTCOMES)[number];

/** The Lua names it as a number, too. */
const MOST_SENDERS = 256;

/** Adds a message to what is kept for an account, where it fits. Its keys and arguments are in the Lua file. */
export const storeOffline = defineOperation<OfflineOutcome>({
  name: 'offline-store',
  lua: new URL('./offline-store.lua', import.meta.url),
  js(view, [list = '', state = '', senders = '', sessions = ''], args) {
    const [text = Buffer.alloc(0), messages, bytes, sid, k, remembered, look] = args;
    const [mostMessages, mostBytes] = [Number(messages), Number(bytes)];
    const sender = String(sid ?? '');
    if (sender !== '') {
      const highest = view.hget(senders, sender);
      if (highest !== undefined && serialDistance(Number(k), Number(highest)) <= 0) return 0; // it has come before
    }
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
      if (view.hlen(senders) >= MOST_SENDERS) view.del(senders);
      view.hset(senders, [[sender, String(k)]]);
      view.pexpire(senders, Number(remembered));
    }
    return 0;
  },
  result: (reply) => OUTCOMES[reply as number] as OfflineOutcome,
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
