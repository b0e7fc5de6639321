import type { Jid } from '@parley/xmpp/jid';
import type { ScramHash, ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import type { Awaitable } from '../pipeline.ts';

/** What happened to an account, from wherever it was changed. */
export interface AccountChange {
  readonly account: Jid;
  readonly change: 'created' | 'removed' | 'disabled' | 'enabled' | 'password';
  /** The id of the session that asked for it, if one did. */
  readonly sessionId?: string | undefined;
  /** Another node has changed it, and tells everybody else. */
  readonly elsewhere?: true;
}

/** More passwords wait to be checked than can be in good time. */
export class AccountsBusy extends Error {
  override name = 'AccountsBusy';

  constructor() {
    super('Too many passwords wait to be checked.');
  }
}

/** Who somebody is: the one door to accounts, whatever keeps them. Accounts are bare JIDs. */
export interface Authenticator {
  /** The account is known and may receive stanzas; a disabled one exists but may not log in. */
  exists(account: Jid): Awaitable<boolean>;
  /** True for a known account that may log in now: asked when the password has proved right, and not before. */
  enabled(account: Jid): Awaitable<boolean>;
  /** False for an unknown account, after the same time; true for a disabled one. Rejects with AccountsBusy. */
  verifyPassword(account: Jid, password: string): Promise<boolean>;
  /** What SCRAM compares with, of a disabled account, too; undefined where the account is unknown. */
  verifier(account: Jid, hash: ScramHash): Awaitable<ScramVerifier | undefined>;
  /** One that no password fits, always the same for the same account, that looks as real ones do. */
  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier;
  /** Absent where passwords are changed elsewhere. Throws a StanzaError where the new one is refused. */
  setPassword?(account: Jid, password: string, sessionId?: string): Promise<void>;
  /** Absent where accounts are made elsewhere. Throws a StanzaError `conflict` where the account exists. */
  create?(account: Jid, password: string): Promise<void>;
  /** Takes away the account and all that belongs to it. Throws a StanzaError where there is no such account. */
  remove?(account: Jid, sessionId?: string): Promise<void>;
  disable?(account: Jid): Promise<void>;
  enable?(account: Jid): Promise<void>;
  /** The accounts of a domain, in pages and in no order. */
  list?(domain: string): AsyncIterable<readonly Jid[]>;
  /** Whoever made the change waits for the listeners. */
  onChange(listener: (change: AccountChange) => Awaitable<void>): void;
  /** Another node has changed an account. */
  changedElsewhere?(change: AccountChange): void;
}
