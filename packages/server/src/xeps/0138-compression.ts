import { constants, createDeflate, createInflate } from 'node:zlib';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import { defineModule } from '../module.ts';
import type { Codec } from '../net/transport.ts';
import type { Stream } from '../stream/stream.ts';

/** Stream compression by zlib (XEP-0138), between authentication and binding (XEP-0170). */
export default defineModule({
  name: 'compression',
  xeps: [{ number: 138, version: '2.1', note: 'zlib, only after authentication' }],
  description: 'Compress streams with zlib. Compressed secrets may be guessed from lengths: leave it off.',
  enabled: false,

  setup({ features }) {
    const compressed = new WeakSet<Stream>();
    const offered = (stream: Stream) => stream.identity !== undefined && !stream.bound && !compressed.has(stream);

    const method = Element.of('method', NS.compressFeature, {}, 'zlib');
    const feature = Element.of('compression', NS.compressFeature, {}, method);
    features.add({
      ns: NS.compressFeature,
      advertise: (stream) => (offered(stream) ? feature : undefined),
    });

    features.add({
      ns: NS.compress,
      handle(stream, element) {
        if (element.name !== 'compress') throw new StreamError('unsupported-stanza-type');
        if (!offered(stream)) return fail(stream, 'setup-failed');
        const methods = element.elements.filter((child) => child.is('method', NS.compress)).map(({ text }) => text);
        if (methods.length === 0) return fail(stream, 'setup-failed');
        if (!methods.includes('zlib')) return fail(stream, 'unsupported-method');
        stream.restart();
        stream.sendElement(Element.of('compressed', NS.compress));
        compressed.add(stream);
        stream.transport.useCodec(zlibFor(stream));
      },
    });
  },
});

function zlibFor(stream: Stream): Codec {
  const inflate = createInflate({ chunkSize: 16_384 });
  // a small window: a connection with the usual one takes a quarter of a megabyte
  const deflate = createDeflate({ windowBits: 13, memLevel: 6, flush: constants.Z_SYNC_FLUSH });
  const onError = () => stream.error(processingFailed());
  inflate.on('error', onError);
  deflate.on('error', onError);
  return { inflate, deflate };
}

const processingFailed = () =>
  new StreamError(
    'undefined-condition',
    'The compressed stream is broken.',
    Element.of('failure', NS.compress, {}, Element.of('processing-failed', NS.compress)),
  );

/** The stream goes on uncompressed (XEP-0138 §2). */
function fail(stream: Stream, condition: 'setup-failed' | 'unsupported-method'): void {
  stream.sendElement(Element.of('failure', NS.compress, {}, Element.of(condition, NS.compress)));
}
