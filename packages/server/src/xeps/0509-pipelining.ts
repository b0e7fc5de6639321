import { createHash } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../module.ts';
import type { Stream } from '../stream/stream.ts';

/** XEP-0509: a client may log in before it has seen what is offered, and is told where it had something else in mind. */
export default defineModule({
  name: 'pipelining',
  description:
    'Lets clients send a login by SASL2 together with the stream header, if the offer is the one that they know (XEP-0509).',
  xeps: [{ number: 509, version: '0.2.0' }],
  setup({ features }) {
    /** What stands for the offer: another one has another value. */
    const valueFor = (stream: Stream): string | undefined => {
      const offer = [NS.sasl2, NS.saslChannelBinding].flatMap((ns) => features.for(ns)?.advertise?.(stream) ?? []);
      if (offer[0]?.ns !== NS.sasl2) return undefined;
      return createHash('sha256').update(offer.join('')).digest('base64');
    };

    features.add({
      ns: NS.pipelining,
      advertise(stream) {
        const value = valueFor(stream);
        return value === undefined
          ? undefined
          : Element.of('config-version', NS.pipelining, { scheme: 'opaque', value });
      },
      inSasl2: {
        advertise: () => undefined,
        // "Usage"
        objection(stream, request) {
          const known = request.child('config-version', NS.pipelining)?.attr('value');
          if (known === undefined || known === valueFor(stream)) return undefined;
          return Element.of('config-version-mismatch', NS.pipelining);
        },
        handle: () => [],
      },
    });
  },
});
