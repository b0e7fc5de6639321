import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Configuration } from '@parley/server/config/schema';
import { showing } from '@parley/server/s2s/incoming-testing';
import { NS } from '@parley/xmpp/namespaces';
import { memoryLink } from '../support/memory-link.ts';
import { fromHostile, type Limit, type LimitTable, stanzaError } from './limit.ts';

/** Another server that takes connections and says nothing, so that what is for it waits. */
const mute = createServer().listen(0, '127.0.0.1').unref();
await once(mute, 'listening');
const { port } = mute.address() as { port: number };

/** Somebody writes to a server until there is no room. */
const waiting = (queue: Partial<Configuration['federation']['queue']>): Limit => ({
  config: {
    drain: { seconds: 1 }, // at the end it waits for what is in the queue
    federation: { enabled: true, queue, peers: [{ domain: 'mute.example', connectTo: `127.0.0.1:${port}` }] },
    listen: { c2s: [], c2sTls: [], components: [], http: [], s2s: [], s2sTls: [] },
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

/** Another server begins more streams that can be resumed than this one remembers. */
const remembered = (resumption: Partial<Configuration['federation']['resumption']>): Limit => ({
  config: {
    federation: { enabled: true, resumption },
    listen: { c2s: [], c2sTls: [], components: [], http: [], s2s: [], s2sTls: [] },
  } as never,
  async exceed({ server }) {
    const show = await showing(['capulet.lit']);
    const answers: (string | undefined)[] = [];
    for (let stream = 0; stream < 2; stream++) {
      const link = await memoryLink(server.node, 'capulet.lit', 'localhost', (transport) => {
        show(transport);
        fromHostile(transport);
      });
      link.send(`<enable xmlns='${NS.streamManagement}' resume='true'/>`);
      answers.push((await link.next())?.attr('resume'));
    }
    return answers;
  },
  sees: ['true', undefined],
});

/** Another server wants to speak for more domains on one stream than it may. */
const manyDomains: Limit = {
  config: {
    federation: { enabled: true, limits: { domainsPerStream: 1 } },
    listen: { c2s: [], c2sTls: [], components: [], http: [], s2s: [], s2sTls: [] },
  } as never,
  async exceed({ server }) {
    const show = await showing(['capulet.lit']);
    const link = await memoryLink(server.node, 'capulet.lit', 'localhost', (transport) => {
      show(transport);
      fromHostile(transport);
    });
    link.send(`<db:result from='montague.lit' to='localhost'>${'0'.repeat(64)}</db:result>`);
    const answer = await link.next();
    return answer?.elements[0]?.elements.map(({ name }) => name);
  },
  sees: ['resource-constraint', 'text'],
};

export const federationLimits: LimitTable = {
  'federation-queue-stanzas': waiting({ maxStanzas: 1 }),
  'federation-queue-bytes': waiting({ maxBytes: 1000 }),
  'federation-queues-bytes': waiting({ maxTotalBytes: 1000 }),
  'federation-resumable': remembered({ maxStreams: 1 }),
  'federation-resumable-domain': remembered({ maxStreamsPerDomain: 1 }),
  'federation-domains-per-stream': manyDomains,
};
