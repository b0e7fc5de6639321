import { constants, createDeflate, createInflate } from 'node:zlib';
import type { Wire } from './client.ts';

/** A wire that compresses once it is told to. */
export class CompressedWire implements Wire {
  readonly #wire: Wire;
  readonly #deflate = createDeflate({ flush: constants.Z_SYNC_FLUSH });
  readonly #inflate = createInflate();
  #listener: (bytes: Buffer) => void = () => {};
  #on = false;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.#deflate.on('data', (bytes: Buffer) => wire.send(bytes));
    this.#inflate.on('data', (bytes: Buffer) => this.#listener(bytes));
  }

  start(): void {
    this.#on = true;
    this.#wire.onData((bytes) => this.#inflate.write(bytes));
  }

  send(bytes: Buffer): void {
    if (this.#on) this.#deflate.write(bytes);
    else this.#wire.send(bytes);
  }

  /** Past the compression. */
  sendRaw(bytes: Buffer): void {
    this.#wire.send(bytes);
  }

  onData(listener: (bytes: Buffer) => void): void {
    this.#listener = listener;
    this.#wire.onData(listener);
  }

  onEnd(listener: () => void): void {
    // what came before is still being inflated
    this.#wire.onEnd(() =>
      this.#on ? this.#inflate.write(Buffer.alloc(0), () => setImmediate(listener)) : listener(),
    );
  }

  break(): void {
    this.#wire.break();
  }
}
