import { defineOperation } from '@parley/keyspace/operation';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { MoveRule } from '../../auth/moves/move-rule.ts';
import { importedKeys } from './imported-store.ts';
import { offlineKeys, offlineSenderKeys, offlineStateKeys, readKept } from './offline-store.ts';

/** Its keys are in the Lua file. */
export const settleOffline = defineOperation<number>({
  name: 'offline-settle',
  lua: new URL('./offline-settle.lua', import.meta.url),
  js(view, [list = '', state = '']) {
    const messages = view.lrange(list, 0, -1);
    if (messages.length === 0) return 0;
    const bytes = messages.reduce((sum, { length }) => sum + length, 0);
    if (view.hget(state, 'first') === undefined) view.hset(state, [['first', String(view.now() * 1000)]]);
    view.hset(state, [['bytes', String(bytes)]]);
    return messages.length;
  },
  result: Number,
});

/** Messages that wait go along when their account gets another address, to which they then are. */
export const offlineMoves: readonly MoveRule[] = [
  {
    keys: offlineKeys,
    convert(kept, _field, { to }) {
      const { text } = readKept(kept);
      const start = kept.subarray(0, kept.length - text.length);
      const stanza = stanzaFromText(text);
      const resource = stanza.to?.resource ?? '';
      const address = resource === '' ? to : to.withResource(resource);
      return Buffer.concat([start, Buffer.from(stanza.withTo(address).toString())]);
    },
    async settle(keyspace, { to }) {
      await keyspace.call(settleOffline, [offlineKeys.key(to.bareText), offlineStateKeys.key(to.bareText)]);
    },
  },
  { keys: offlineStateKeys, stays: true },
  { keys: offlineSenderKeys, stays: true },
  { keys: importedKeys, stays: true },
];
