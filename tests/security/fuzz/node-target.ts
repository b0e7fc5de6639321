import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { MemoryTransport } from '../../support/memory-transport.ts';
import type { TestServer } from '../../support/server.ts';
import { readStream } from '../reading.ts';
import type { Target } from './fuzz.ts';

const HEADER = `<stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`;
const BIND = `<iq type='set' id='bind'><bind xmlns='${NS.bind}'><resource>street</resource></bind></iq>`;

/** Everything that waits for nothing but the turn of the event loop has gone on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Bytes to a whole node: from a stranger behind a header, or from a client that is bound. No fault may come of it. */
export function nodeTarget(server: TestServer, as: 'stranger' | 'mercutio@localhost'): Target {
  const { node } = server;
  return {
    async run(input) {
      const faults = server.log.length;
      const transport = new MemoryTransport();
      let sent = '';
      transport.onText = (text) => {
        sent += text;
      };
      const stream = node.attach(transport);
      if (as !== 'stranger') {
        await server.account(as); // it may have been removed by its owner
        stream.authenticated(Jid.parse(as), 'TEST');
      }
      transport.push(Buffer.from(as === 'stranger' ? HEADER : HEADER + BIND));
      await settled();
      transport.push(input);
      await settled();
      transport.break();
      await settled();
      const fault = server.log.slice(faults).find(({ event }) => event.endsWith('.fault'));
      if (fault !== undefined) throw new Error(JSON.stringify(fault));
      // A restart of the stream begins another document.
      for (const document of sent.split(/(?=<\?xml)/)) {
        const { error } = readStream([document], UNLIMITED);
        if (error !== undefined) throw new Error(`The server sent what is ${error}: ${document}`);
      }
    },
  };
}

const UNLIMITED = { maxBytes: 1e9, maxElements: 1e9, maxDepth: 1e9, maxAttributes: 1e9, maxNameLength: 1e9 };
