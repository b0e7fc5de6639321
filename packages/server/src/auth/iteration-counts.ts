import { createHmac } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import type { ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import type { KeptCounts } from './kept-counts.ts';

/** Numbers that the configuration had at some time, as far as they are remembered. */
const MOST = 8;

/** What other nodes have met is asked for so often, in milliseconds. */
const REFRESH_MS = 60_000;

/**
 * How many iterations verifiers of SCRAM have. Those of passwords from before the configuration said another number still
 * have the former one, so that somebody unknown must not always be challenged with the newest. Every node pretends the same, and
 * after a restart, too: a challenge that differs from the one before would tell that there is nobody.
 */
export class IterationCounts {
  readonly #current: () => number;
  readonly #secret: Buffer;
  readonly #kept: KeptCounts | undefined;
  readonly #met = new Set<number>();
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(current: () => number, secret: Buffer, kept?: KeptCounts) {
    this.#current = current;
    this.#secret = secret;
    this.#kept = kept;
    this.#refresh();
  }

  /** Somebody has this one. */
  see<T extends ScramVerifier | undefined>(verifier: T): T {
    this.#refresh();
    const { iterations = this.#current() } = verifier ?? {};
    if (verifier !== undefined && !this.#met.has(iterations) && this.#met.size < MOST) {
      this.#met.add(iterations);
      this.#kept?.add(iterations).catch(() => this.#met.delete(iterations)); // the next time, then
    }
    return verifier;
  }

  #refresh(): void {
    const now = performance.now();
    if (this.#kept === undefined || now - this.#refreshedAt < REFRESH_MS) return;
    this.#refreshedAt = now;
    const again = () => {
      this.#refreshedAt = Number.NEGATIVE_INFINITY;
    };
    this.#kept.all().then((all) => {
      for (const count of all) if (this.#met.size < MOST) this.#met.add(count);
    }, again);
  }

  /** For somebody who has none: a number that others have. One more of them is another one for as few as possible. */
  pretended(account: Jid): number {
    this.#refresh();
    const rank = (count: number) =>
      createHmac('sha256', this.#secret).update(`iterations\0${count}\0${account.bareText}`).digest();
    let [chosen, highest] = [this.#current(), Buffer.alloc(0)];
    const counts = new Set([chosen, ...this.#met]);
    if (counts.size === 1) return chosen;
    for (const count of counts) {
      const drawn = rank(count);
      if (drawn.compare(highest) > 0) [chosen, highest] = [count, drawn];
    }
    return chosen;
  }
}
