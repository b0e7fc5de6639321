export interface HearingHost {
  /** When a beat of our own came back last, as `performance.now()`. */
  lastEcho(): number;
  /** Nothing comes back, though the keyspace takes what is broadcast. */
  onDeaf(): void;
}

export const DEAF = 'Redis takes what this node tells all others, and brings none of it back: it connects anew.';

/** So many beats that do not come back are no chance. */
const MOST_UNHEARD = 3;

/**
 * Whether this node hears what is broadcast: its own beats come back. They are counted, and not the time, so that a
 * process that stood still blames nobody.
 */
export class Hearing {
  readonly #host: HearingHost;
  readonly #startedAt = performance.now();
  #echo = Number.NEGATIVE_INFINITY;
  /** The keyspace has taken something since the last look. */
  #spoken = false;
  #unheard = 0;
  #deaf = false;

  constructor(host: HearingHost) {
    this.#host = host;
  }

  /** The keyspace has taken something that is for all nodes. */
  spoke(): void {
    this.#spoken = true;
  }

  /** The link is another one: nothing that was said before can be expected. */
  linkDown(): void {
    this.#spoken = false;
    this.#unheard = 0;
  }

  /** To be called before each beat. */
  look(): void {
    const echo = this.#host.lastEcho();
    if (echo !== this.#echo) {
      this.#echo = echo;
      this.#unheard = 0;
    } else if (this.#spoken && ++this.#unheard > MOST_UNHEARD) {
      this.#unheard = 0;
      this.#deaf = true;
      this.#host.onDeaf();
    }
    this.#spoken = false;
  }

  /** For how long nothing has come back. */
  get echoSeconds(): number {
    return (performance.now() - Math.max(this.#host.lastEcho(), this.#startedAt)) / 1000;
  }

  /** It was found out that nothing comes back, and nothing has since. */
  get deaf(): boolean {
    if (this.#deaf && this.#host.lastEcho() !== this.#echo) this.#deaf = false;
    return this.#deaf;
  }
}
