import type { Jid } from '@parley/xmpp/jid';

/** Whom an account has blocked: addresses of any form. */
export class Blocklist {
  static readonly EMPTY = new Blocklist([]);

  readonly #jids: ReadonlySet<string>;

  constructor(jids: Iterable<string>) {
    this.#jids = new Set(jids);
  }

  get size(): number {
    return this.#jids.size;
  }

  get jids(): ReadonlySet<string> {
    return this.#jids;
  }

  /**
   * XEP-0191 §5. The full text stands for user@domain/resource and domain/resource, the bare text for user@domain, and
   * a domain takes in everybody there.
   */
  blocks(jid: Jid): boolean {
    const jids = this.#jids;
    return jids.size > 0 && (jids.has(jid.toString()) || jids.has(jid.bareText) || jids.has(jid.domain));
  }
}
