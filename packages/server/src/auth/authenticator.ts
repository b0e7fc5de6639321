import type { Jid } from '@parley/xmpp/jid';
import type { ScramHash, ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import type { Awaitable } from '../pipeline.ts';

/** What happened to an account, from wherever it was changed. */
export interface AccountChange {
  readonly account: Jid;
  readonly change: 'created' | 'removed' | 'disabled' | 'enabled' | 'password';
}

/** Who somebody is: the one door to accounts, whatever keeps them. Accounts are bare JIDs. */
export interface Authenticator {
  /** The account is known and may receive stanzas; a disabled one exists but may not log in. */
  exists(account: Jid): Awaitable<boolean>;
  /** True for a known account that may log in now. */
  enabled(account: Jid): Awaitable<boolean>;
  verifyPassword(account: Jid, password: string): Promise<boolean>;
  /** What SCRAM compares with; undefined where the account is unknown or may not log in. */
  verifier(account: Jid, hash: ScramHash): Promise<ScramVerifier | undefined>;
  /** Absent where passwords are changed elsewhere. Throws a StanzaError where the new one is refused. */
  setPassword?(account: Jid, password: string): Promise<void>;
  /** Absent where accounts are made elsewhere. Throws a StanzaError `conflict` where the account exists. */
  create?(account: Jid, password: string): Promise<void>;
  remove?(account: Jid): Promise<void>;
  onChange(listener: (change: AccountChange) => void): void;
}
