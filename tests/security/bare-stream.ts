import { clientRole } from '@parley/server/stream/client-role';
import { StreamFeatures } from '@parley/server/stream/features';
import { Stream } from '@parley/server/stream/stream';
import type { StreamHost } from '@parley/server/stream/stream-host';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import type { XmlLimits } from '@parley/xmpp/xml-limits';
import { MemoryTransport } from '../support/memory-transport.ts';

/** What happened to a stream, in order. */
export type Happening =
  | { readonly kind: 'sent'; readonly text: string }
  | { readonly kind: 'received'; readonly element: Element }
  | { readonly kind: 'error'; readonly condition: string }
  | { readonly kind: 'end' }
  | { readonly kind: 'connection closed' }
  | { readonly kind: 'fault'; readonly error: unknown };

/** The features of a bare stream: one that answers at once, one that waits. */
const features = new StreamFeatures();
features.add({ ns: 'urn:x', handle: (stream) => stream.send('<at-once/>') });
features.add({ ns: 'urn:y', handle: async (stream) => stream.send('<later/>') });

/** A stream on which a resource is bound, without a server: what it receives is noted, and some of it is waited for. */
export class BareStream {
  readonly happened: Happening[] = [];
  readonly stream: Stream;
  readonly transport = new MemoryTransport();

  constructor(limits: XmlLimits) {
    const { happened } = this;
    this.transport.onText = (text) => happened.push({ kind: 'sent', text });
    this.transport.onEnd = () => happened.push({ kind: 'connection closed' });
    const host: StreamHost = {
      role: clientRole,
      features,
      domain: (name) => name,
      limitsBefore: limits,
      limitsAfter: limits,
      timeouts: { authenticateMs: 1e6, bindMs: 1e6, closeMs: 1e6 },
      acceptOldVersion: true,
      onFault: (error) => happened.push({ kind: 'fault', error }),
      onBytes: () => 0,
      onWritten() {},
      onAuthenticated() {},
      onHandshake() {},
      onEnd: () => happened.push({ kind: 'end' }),
      onDisconnect() {},
      onError: (_, { condition }) => happened.push({ kind: 'error', condition }),
      onLimit() {},
    };
    this.stream = new Stream(this.transport, host);
    this.stream.identity = Jid.parse('mercutio@localhost');
    this.stream.bind({
      receive: (element) => {
        happened.push({ kind: 'received', element });
        if (element.name === 'iq') return Promise.resolve();
      },
      onStreamEnd() {},
    });
  }

  push(bytes: Buffer): void {
    this.transport.push(bytes);
  }

  /** Everything that the server sent, in one text. */
  get sent(): string {
    return this.happened.map((each) => (each.kind === 'sent' ? each.text : '')).join('');
  }
}
