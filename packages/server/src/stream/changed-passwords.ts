import type { Jid } from '@parley/xmpp/jid';

/** No login takes longer, in milliseconds. */
const LONGEST_LOGIN_MS = 180_000;

/** Accounts whose password was changed of late: whoever began to log in before that has proved the former one. */
export class ChangedPasswords {
  /** When it was changed last, the oldest change first. */
  readonly #at = new Map<string, number>();

  add({ bareText }: Jid, now: number): void {
    for (const [account, at] of this.#at) {
      if (at > now - LONGEST_LOGIN_MS) break;
      this.#at.delete(account);
    }
    this.#at.delete(bareText);
    this.#at.set(bareText, now);
  }

  isChangedSince({ bareText }: Jid, begun: number): boolean {
    return (this.#at.get(bareText) ?? Number.NEGATIVE_INFINITY) >= begun;
  }

  get size(): number {
    return this.#at.size;
  }
}
