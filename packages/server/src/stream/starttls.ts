import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { StreamFeature } from './features.ts';
import type { Stream } from './stream.ts';

/** STARTTLS (RFC 6120 §5). `required` is asked each time, since a reload may change it. */
export function startTls(required: (stream: Stream) => boolean): StreamFeature {
  const optional = Element.of('starttls', NS.tls);
  const needed = Element.of('starttls', NS.tls, {}, Element.of('required', NS.tls));
  return {
    ns: NS.tls,

    advertise(stream) {
      if (stream.encrypted || stream.identity !== undefined) return undefined;
      return required(stream) ? needed : optional;
    },

    handle(stream, element) {
      if (element.name !== 'starttls' || stream.encrypted || stream.identity !== undefined) {
        // RFC 6120 §5.4.2.2: the failure, then the end of the stream
        stream.sendElement(Element.of('failure', NS.tls));
        stream.close('STARTTLS was not possible');
        return;
      }
      return proceed(stream);
    },
  };
}

function proceed(stream: Stream): Promise<void> {
  stream.sendElement(Element.of('proceed', NS.tls));
  return stream.startTls();
}
