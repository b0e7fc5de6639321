import { Socket, type SocketConstructorOpts } from 'node:net';

/** What everything is read into: whoever hears of it is done with it before the next read. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

/** Of a socket of Node.js, and not for others to see: without it everything is as it ever was. */
interface Inside {
  _handle: { useUserBuffer?: unknown } | null | undefined;
}

/** On Windows memory is lent to the system for as long as it waits for something to read. */
const ONE_AT_A_TIME = process.platform !== 'win32';

/**
 * The same connection, read into memory that all connections share, where nothing of it has been read: what comes with
 * `data` is lent, and to be copied where it is needed for longer. A socket of its own accord makes 64 KB and a stream's
 * detours of each read, which is a tenth of what a message costs. Node.js has this for connections that it makes
 * (`onread`), and forgot it for those that it accepts; the socket that was accepted is over then.
 */
export function readIntoLentMemory(accepted: Socket): Socket {
  const { _handle: handle } = accepted as unknown as Inside;
  if (!ONE_AT_A_TIME || typeof handle?.useUserBuffer !== 'function' || accepted.readableLength > 0) return accepted;
  const onread = {
    buffer: memory,
    callback(length: number) {
      socket.emit('data', memory.subarray(0, length));
      return true;
    },
  };
  const options = { handle, allowHalfOpen: accepted.allowHalfOpen, onread };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  if ((socket as unknown as Inside)._handle !== handle) return accepted;
  (accepted as unknown as Inside)._handle = null;
  accepted.destroy();
  return socket;
}
