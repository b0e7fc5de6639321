import type { Transport } from './transport.ts';

/** No connection at all: what is written to it is nobody's. */
export const NO_TRANSPORT: Transport = {
  remoteAddress: '',
  remotePort: 0,
  tls: undefined,
  peerCertificate: undefined,
  shown: undefined,
  blocked: false,
  buffered: 0,
  sent: 0,
  get handler() {
    return { onData() {}, onClose() {} };
  },
  set handler(_handler) {},
  write() {},
  whenSent() {},
  pause() {},
  resume() {},
  startTls: () => Promise.reject(new Error('There is no connection.')),
  channelBinding: () => undefined,
  useCodec() {},
  end() {},
  destroy() {},
};
