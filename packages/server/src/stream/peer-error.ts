import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { StreamFeature } from './features.ts';

/** The peer says what is wrong with the stream and ends it (RFC 6120 §4.9.1.1): there is nothing to answer. */
export function peerError(onError: (condition: (typeof StreamError.conditions)[number]) => void): StreamFeature {
  return {
    ns: NS.streams,
    handle(stream, element) {
      if (element.name !== 'error') throw new StreamError('unsupported-stanza-type');
      const named = element.elements.find(({ ns }) => ns === NS.streamErrors)?.name;
      onError(StreamError.conditions.find((condition) => condition === named) ?? 'undefined-condition');
      stream.close(`the ${stream.host.role.peer} sent a stream error`);
    },
  };
}
