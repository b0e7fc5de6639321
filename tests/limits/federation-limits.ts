import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Configuration } from '@parley/server/config/schema';
import { type Limit, type LimitTable, stanzaError } from './limit.ts';

/** Another server that takes connections and says nothing, so that what is for it waits. */
const mute = createServer().listen(0, '127.0.0.1').unref();
await once(mute, 'listening');
const { port } = mute.address() as { port: number };

/** Somebody writes to a server until there is no room. */
const waiting = (queue: Partial<Configuration['federation']['queue']>): Limit => ({
  config: {
    federation: { enabled: true, queue, peers: [{ domain: 'mute.example', connectTo: `127.0.0.1:${port}` }] },
    listen: { s2s: [], s2sTls: [] },
  } as never,
  async exceed(scene) {
    const user = await scene.user();
    const message = (id: string) => `<message to='a@mute.example' id='${id}'><body>${'x'.repeat(600)}</body></message>`;
    user.send(message('1') + message('2'));
    return stanzaError(await user.nextMessage());
  },
  sees: 'resource-constraint',
  address: undefined,
});

export const federationLimits: LimitTable = {
  'federation-queue-stanzas': waiting({ maxStanzas: 1 }),
  'federation-queue-bytes': waiting({ maxBytes: 1000 }),
  'federation-queues-bytes': waiting({ maxTotalBytes: 1000 }),
};
