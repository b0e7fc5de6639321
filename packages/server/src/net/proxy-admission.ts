import type { Socket } from 'node:net';
import { type ProxyHeader, ProxyHeaderError, proxyHeader } from './proxy-protocol.ts';

/** Whom a listener believes that they speak for others, and for how long it waits until they say for whom. */
export interface ProxyAdmission {
  readonly headerTimeoutMs: number;
  /** A connection from this address will be waited for, unless the answer is false. */
  expect(address: string): boolean;
  /** Its wait is over; `failure` says why it is cut, where it is. */
  settle(address: string, failure?: ProxyHeaderError | ProxyHeaderTimeout): void;
}

/** The header was not there in time. */
export class ProxyHeaderTimeout extends Error {
  override readonly name = 'ProxyHeaderTimeout';
}

/** The connection ended before its header, without a byte: load balancers look in this way whether a port is open. */
class Ended extends Error {
  override readonly name = 'Ended';
}

/**
 * Waits for the header at the start of a connection and takes it away: the next byte that is read is the client's. The
 * answer is undefined where the connection is gone.
 */
export async function receiveProxyHeader(
  socket: Socket,
  address: string,
  admission: ProxyAdmission,
): Promise<ProxyHeader | undefined> {
  try {
    const header = await read(socket, admission.headerTimeoutMs);
    admission.settle(address);
    return header;
  } catch (error) {
    socket.destroy();
    const failed = error instanceof ProxyHeaderError || error instanceof ProxyHeaderTimeout;
    admission.settle(address, failed ? error : undefined);
    return undefined;
  }
}

function read(socket: Socket, timeoutMs: number): Promise<ProxyHeader> {
  const { promise, resolve, reject } = Promise.withResolvers<ProxyHeader>();
  let bytes: Buffer = Buffer.alloc(0);
  const onReadable = () => {
    for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      try {
        const header = proxyHeader(bytes);
        if (header === undefined) continue;
        release();
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
        resolve(header);
      } catch (error) {
        release();
        reject(error);
      }
      return;
    }
  };
  const onEnd = () => {
    release();
    reject(bytes.length === 0 ? new Ended() : new ProxyHeaderError('the connection ended within its header'));
  };
  // what is gone is told by `close`
  const onError = () => {};
  const timer = setTimeout(() => {
    release();
    reject(new ProxyHeaderTimeout('the header did not come in time'));
  }, timeoutMs);
  const release = () => {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
    // errors still need somebody who hears them until the socket has its next owner
    setImmediate(() => socket.off('error', onError));
  };
  socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);
  return promise;
}
