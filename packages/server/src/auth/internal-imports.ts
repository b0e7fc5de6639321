import type { Jid } from '@parley/xmpp/jid';
import type { ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { AccountStore } from './account-store.ts';
import type { AccountImports, ImportedAccount, ImportedSecrets } from './authenticator.ts';

export interface InternalImportsHost {
  readonly store: AccountStore;
  /** Verifiers by all hashes. Throws a StanzaError where the text can be no password. */
  derive(account: Jid, password: string): Promise<ScramVerifier[]>;
  /** Does it, and forgets what was known of the account. */
  change<T>(account: Jid, change: () => Promise<T>): Promise<T>;
  tell(account: Jid, change: 'created' | 'password'): Promise<void>;
}

/** Accounts of other servers become accounts that the server keeps itself. */
export class InternalImports implements AccountImports {
  readonly #host: InternalImportsHost;

  constructor(host: InternalImportsHost) {
    this.#host = host;
  }

  async begin(account: Jid, secrets: ImportedSecrets): Promise<ImportedAccount> {
    if (account.local === '' || !account.isBare) throw new StanzaError('jid-malformed');
    const { store, change } = this.#host;
    if ((await store.find(account)) !== undefined) return (await store.isImporting(account)) ? 'begun' : 'there';
    const verifiers = await this.#verifiers(account, secrets);
    const made = await change(account, () => store.createImported(account, verifiers));
    return made || (await store.isImporting(account)) ? 'begun' : 'there';
  }

  async secrets(account: Jid, secrets: ImportedSecrets, replace: boolean): Promise<void> {
    const { store, change, tell } = this.#host;
    const verifiers = await this.#verifiers(account, secrets);
    if (verifiers.length === 0) return;
    const set = () => (replace ? store.replaceVerifiers(account, verifiers) : store.setVerifiers(account, verifiers));
    if ((await change(account, set)) && replace) await tell(account, 'password');
  }

  describe(account: Jid, disabled: boolean, created: number | undefined): Promise<void> {
    return this.#host.store.describeImported(account, disabled, created);
  }

  async end(account: Jid) {
    const { store, change, tell } = this.#host;
    if (await store.isImporting(account)) {
      await change(account, () => store.openImported(account));
      await tell(account, 'created');
    }
    return [...((await store.find(account))?.verifiers.keys() ?? [])];
  }

  #verifiers(account: Jid, { password, verifiers }: ImportedSecrets): Promise<readonly ScramVerifier[]> {
    return password === undefined ? Promise.resolve(verifiers) : this.#host.derive(account, password);
  }
}
