import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { Verbatim } from '@parley/xmpp/verbatim';

export const vcardKeys = declareKeys({
  name: 'vcard',
  type: 'string',
  content: 'the vCard of the account (XEP-0054), as XML text',
  bound: '`modules.vcard.maxBytes`',
  ttl: 'none',
});

/** The vCards of accounts. */
export class VcardStore {
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  async get(account: Jid): Promise<Element | undefined> {
    const text = await this.#keyspace.get(vcardKeys.key(account.bareText));
    return text === undefined ? undefined : new Verbatim('vCard', NS.vcard, text.toString());
  }

  /** Replaces the whole vCard (XEP-0054 §3.2) by this XML text; '' takes it away. */
  async set(account: Jid, text: string): Promise<void> {
    const key = vcardKeys.key(account.bareText);
    await (text === '' ? this.#keyspace.del(key) : this.#keyspace.set(key, text));
  }
}
