import type { EstablishedStream } from './outgoing-stream.ts';
import type { ReturnTrunk } from './return-trunk.ts';

/** Streams of other servers that what is for them may go out on, by the pair of domains. */
export class ReturnWays {
  /** The one that came last is the last. */
  readonly #trunks = new Map<string, ReturnTrunk[]>();
  readonly #waiting = new Map<string, Set<(stream: EstablishedStream) => void>>();
  readonly #onOffer: (local: string, remote: string) => void;

  /** `onOffer` hears of one that nobody is waiting for. */
  constructor(onOffer: (local: string, remote: string) => void) {
    this.#onOffer = onOffer;
  }

  /** `pair`: our domain, and theirs. */
  offer(trunk: ReturnTrunk, pair: string): void {
    const [local = '', remote = ''] = pair.split(' ');
    const trunks = this.#trunks.get(pair);
    if (trunks === undefined) this.#trunks.set(pair, [trunk]);
    else trunks.push(trunk);
    const [waiting] = this.#waiting.get(pair) ?? [];
    if (waiting === undefined) this.#onOffer(local, remote);
    else waiting(trunk.branch(local, remote));
  }

  withdraw(trunk: ReturnTrunk): void {
    for (const pair of trunk.pairs) {
      const rest = this.#trunks.get(pair)?.filter((each) => each !== trunk) ?? [];
      if (rest.length === 0) this.#trunks.delete(pair);
      else this.#trunks.set(pair, rest);
    }
  }

  /** What `open` makes, as a stream that was lost may go on with it (XEP-0198); else one that there is. */
  async fallback(local: string, remote: string, open: () => Promise<EstablishedStream>): Promise<EstablishedStream> {
    try {
      return await open();
    } catch (error) {
      const there = this.#there(local, remote);
      if (there === undefined) throw error;
      return there;
    }
  }

  #there(local: string, remote: string): EstablishedStream | undefined {
    const trunk = this.#trunks.get(`${local} ${remote}`)?.findLast(({ over }) => !over);
    return trunk?.branch(local, remote);
  }

  /** One that there is, or that comes before another one is open; else what `open` makes, or why it makes none. */
  async first(local: string, remote: string, open: () => Promise<EstablishedStream>): Promise<EstablishedStream> {
    const key = `${local} ${remote}`;
    const there = this.#there(local, remote);
    if (there !== undefined) return there;
    const { promise, resolve } = Promise.withResolvers<EstablishedStream>();
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(resolve));
    const opening = open();
    try {
      const stream = await Promise.race([opening, promise]);
      opening.then(
        (opened) => opened !== stream && opened.close('another one was there before'),
        () => {}, // who asked has one, or knows why not
      );
      return stream;
    } finally {
      waiting.delete(resolve);
      if (waiting.size === 0) this.#waiting.delete(key);
    }
  }
}
