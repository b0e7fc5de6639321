import { createHmac } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import type { ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';

/** Numbers that the configuration had before, as far as they are remembered. */
const MOST = 8;

/**
 * How many iterations verifiers of SCRAM have. Those of passwords from before the configuration said another number still
 * have the former one, so that somebody unknown must not always be challenged with the newest.
 */
export class IterationCounts {
  readonly #current: () => number;
  readonly #secret: Buffer;
  readonly #former = new Set<number>();

  constructor(current: () => number, secret: Buffer) {
    this.#current = current;
    this.#secret = secret;
  }

  /** Somebody has this one. */
  see<T extends ScramVerifier | undefined>(verifier: T): T {
    const { iterations = this.#current() } = verifier ?? {};
    if (iterations !== this.#current() && this.#former.size < MOST) this.#former.add(iterations);
    return verifier;
  }

  /** For somebody who has none: a number that others have. One more of them is another one for as few as possible. */
  pretended(account: Jid): number {
    const rank = (count: number) =>
      createHmac('sha256', this.#secret).update(`iterations\0${count}\0${account.bareText}`).digest();
    let [chosen, highest] = [this.#current(), Buffer.alloc(0)];
    if (this.#former.size === 0) return chosen;
    for (const count of new Set([chosen, ...this.#former])) {
      const drawn = rank(count);
      if (drawn.compare(highest) > 0) [chosen, highest] = [count, drawn];
    }
    return chosen;
  }
}
