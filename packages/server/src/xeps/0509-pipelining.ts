import { createHash } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../module.ts';
import { MadeBefore } from '../stream/made-before.ts';
import type { Stream } from '../stream/stream.ts';

/** XEP-0509: a client may log in before it has seen what is offered, and is told where it had something else in mind. */
export default defineModule({
  name: 'pipelining',
  description:
    'Lets clients send a login by SASL2 together with the stream header, if the offer is the one that they know (XEP-0509).',
  xeps: [{ number: 509, version: '0.2.0' }],
  setup({ features }) {
    const OFFER = [NS.sasl2, NS.saslChannelBinding];
    const values = new MadeBefore<string>();
    const made = new MadeBefore<Element>();

    /** What stands for the offer: another one has another value. `before`: what stands in front of this feature. */
    const valueFor = (stream: Stream, before: readonly Element[] = []): string | undefined => {
      const made = OFFER.flatMap((name) => before.find(({ ns }) => ns === name) ?? []);
      const offer = made.length > 0 ? made : OFFER.flatMap((ns) => features.for(ns)?.advertise?.(stream) ?? []);
      if (offer[0]?.ns !== NS.sasl2) return undefined;
      return values.of(offer, () => createHash('sha256').update(offer.join('')).digest('base64'));
    };

    features.add({
      ns: NS.pipelining,
      advertise(stream, before) {
        const value = valueFor(stream, before);
        return value === undefined
          ? undefined
          : made.of([value], () => Element.of('config-version', NS.pipelining, { scheme: 'opaque', value }));
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
