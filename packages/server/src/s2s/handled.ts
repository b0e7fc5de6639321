import type { Jid } from '@parley/xmpp/jid';
import type { Origin } from '@parley/xmpp/stanza';

/** How many of what came on a stream are done with, none before it left out. */
export class Handled {
  #begun: number;
  #done: number;
  /** Done with before something that came earlier. */
  readonly #early = new Set<number>();
  #waiting: { readonly until: number; readonly tell: () => void }[] = [];

  /** `count`: those that are done with already. */
  constructor(count = 0) {
    this.#begun = count;
    this.#done = count;
  }

  get count(): number {
    return this.#done;
  }

  /** How many came. */
  get begun(): number {
    return this.#begun;
  }

  /** One more came; what it answers is called once when that is done with. */
  begin(): () => void {
    const number = this.#begun++;
    return () => {
      if (number !== this.#done) {
        this.#early.add(number);
        return;
      }
      this.#done++;
      while (this.#early.delete(this.#done)) this.#done++;
      const due = this.#waiting.filter(({ until }) => until <= this.#done);
      if (due.length === 0) return;
      this.#waiting = this.#waiting.filter(({ until }) => until > this.#done);
      for (const { tell } of due) tell();
    };
  }

  /** Calls back once when all that came so far is done with, which may be now. */
  whenCaughtUp(tell: () => void): void {
    if (this.#done >= this.#begun) tell();
    else this.#waiting.push({ until: this.#begun, tell });
  }

  // --- what is otherwise where the stream can be resumed ------------------------------------------------------------

  /** What the next one is known by wherever it goes. */
  get nextOrigin(): Origin | undefined {
    return undefined;
  }

  /** What stanzas have in common that go on in their order. */
  lane(from: Jid, to: Jid): string {
    return `${from.bareText} ${to.bareText}`;
  }

  /** Calls back once when the other side may be told of all that is done with now. */
  secured(tell: () => void): void {
    tell();
  }

  /** The other side is told: how many it need not send again, modulo 2^32. */
  told(): number {
    return this.#done >>> 0;
  }

  /** The stream is over. `lost`: nobody wanted it to be. */
  ended(_lost: boolean): void {}
}
