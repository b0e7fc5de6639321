import { createHash } from 'node:crypto';
import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { defineOperation } from '@parley/keyspace/operation';
import type { Jid } from '@parley/xmpp/jid';
import { limit, type OfflineLimits, offlineKeys, offlineStateKeys } from './offline-store.ts';

export const importedKeys = declareKeys({
  name: 'imported-messages',
  type: 'hash',
  content: 'a digest of each stored message that was imported (XEP-0227), so that none is imported twice → nothing',
  bound: '`offline.maxMessages` for each import',
  ttl: '7 d after the last one',
});

/** An import that broke off is begun again within this time. */
const REMEMBERED_MS = 604_800_000;

/** Messages that one operation takes. */
const PAGE = 100;

/** Its keys and arguments are in the Lua file. */
export const storeImported = defineOperation<number>({
  name: 'imported-store',
  lua: new URL('./imported-store.lua', import.meta.url),
  js(view, [list = '', state = '', marks = ''], [messages, bytes, remembered, ...pairs]) {
    const [mostMessages, mostBytes] = [Number(messages), Number(bytes)];
    let left = 0;
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const mark = String(pairs[i]);
      const text = pairs[i + 1] as Buffer;
      if (view.hget(marks, mark) !== undefined) continue;
      const size = Number(view.hget(state, 'bytes') ?? 0);
      if (
        (mostMessages >= 0 && view.llen(list) >= mostMessages) ||
        (mostBytes >= 0 && size + text.length > mostBytes)
      ) {
        left++;
        continue;
      }
      if (view.hget(state, 'first') === undefined) view.hset(state, [['first', String(view.now() * 1000)]]);
      view.rpush(list, text);
      view.hincrby(state, 'bytes', text.length);
      view.hset(marks, [[mark, '']]);
    }
    view.pexpire(marks, Number(remembered));
    return left;
  },
  result: Number,
});

/** Adds messages, each once however often it is imported. Resolves with how many had no room. */
export async function addImported(
  keyspace: Keyspace,
  { bareText }: Jid,
  texts: readonly string[],
  { maxMessages, maxBytes }: OfflineLimits,
): Promise<number> {
  const keys = [offlineKeys, offlineStateKeys, importedKeys].map((each) => each.key(bareText));
  const marked = marks(texts);
  let left = 0;
  for (let first = 0; first < texts.length; first += PAGE) {
    const pairs = texts.slice(first, first + PAGE).flatMap((text, i) => [marked[first + i] as string, text]);
    left += await keyspace.call(storeImported, keys, [limit(maxMessages), limit(maxBytes), REMEMBERED_MS, ...pairs]);
  }
  return left;
}

/** What tells a message from others; equal ones are counted. */
function marks(texts: readonly string[]): string[] {
  const times = new Map<string, number>();
  return texts.map((text) => {
    const digest = createHash('sha256').update(text).digest('base64url').slice(0, 22);
    const time = times.get(digest) ?? 0;
    times.set(digest, time + 1);
    return time === 0 ? digest : `${digest}.${time}`;
  });
}
