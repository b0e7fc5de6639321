import type { Socket } from 'node:net';
import type { Wire } from './raw-connection.ts';

/** A connection that stands, encrypted where it is to be, as what a RawConnection speaks over. */
export class SocketWire implements Wire {
  handler: Wire['handler'] = { onData() {}, onClose() {} };
  readonly #socket: Socket;
  #ended = false;
  #reason = 'closed by the server';

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      if (!this.#ended) this.handler.onData(bytes);
    });
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    socket.on('close', () => {
      if (!this.#ended) this.handler.onClose(this.#reason);
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  end(): void {
    this.#ended = true;
    this.#socket.destroySoon();
  }
}
