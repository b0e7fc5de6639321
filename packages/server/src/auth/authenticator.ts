import type { Jid } from '@parley/xmpp/jid';
import type { ScramRelay } from '@parley/xmpp/sasl/mechanism';
import type { ScramHash, ScramParameters, ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { Awaitable } from '../pipeline.ts';

/** What happened to an account, from wherever it was changed. */
export interface AccountChange {
  readonly account: Jid;
  /** `upgraded`: other verifiers of the same password. `moved`: it has another address; `arrived`: at this address it has what it had at its former one by now. */
  readonly change: 'created' | 'removed' | 'disabled' | 'enabled' | 'password' | 'upgraded' | 'moved' | 'arrived';
  /** Where it has moved: everything of the account belongs to this address from now on. */
  readonly to?: Jid | undefined;
  /** Of one that has moved: who it is, where more than the address tells. */
  readonly person?: string | undefined;
  /** Why, as a sentence for those whom it logs out. */
  readonly reason?: string | undefined;
  /** The id of the session that asked for it, if one did. */
  readonly sessionId?: string | undefined;
  /** By what name the configuration calls what keeps the account, where there are several. */
  readonly source?: string | undefined;
  /** Another node has changed it, and tells everybody else. */
  readonly elsewhere?: true;
}

/** What another server has kept of a password, or the password itself. */
export interface ImportedSecrets {
  readonly password?: string | undefined;
  readonly verifiers: readonly ScramVerifier[];
}

/** How an account stands that is imported: made just now, or before and not whole yet; there already; kept elsewhere. */
export type ImportedAccount = 'begun' | 'there' | 'elsewhere';

/** Accounts that come from another server (XEP-0227). */
export interface AccountImports {
  /** Makes an account that nobody can log in to yet. Throws a StanzaError where nobody can have it. */
  begin(account: Jid, secrets: ImportedSecrets): Promise<ImportedAccount>;
  /** Further secrets of an account; `replace`: in place of those that it has. */
  secrets(account: Jid, secrets: ImportedSecrets, replace: boolean): Promise<void>;
  /** What is to be known of an account that was begun. */
  describe(account: Jid, disabled: boolean, created: number | undefined): Promise<void>;
  /** It is whole. Resolves with the hashes by which somebody can log in to it. */
  end(account: Jid): Promise<readonly ScramHash[]>;
}

/** More passwords wait to be checked than can be in good time. */
export class AccountsBusy extends Error {
  override name = 'AccountsBusy';

  constructor() {
    super('Too many passwords wait to be checked.');
  }
}

/** Why somebody may not log in, in the words of SASL (RFC 6120 §6.5); the text is for the person who tries. */
export interface Refusal {
  readonly condition: 'not-authorized' | 'account-disabled' | 'credentials-expired' | 'temporary-auth-failure';
  readonly text?: string | undefined;
}

/**
 * What comes of a password. Whatever is said besides `not-authorized` without a text, and `temporary-auth-failure`, is
 * said only to those who gave the right one.
 */
export type PasswordVerdict =
  /** It is right. The notice is for the person who logs in, once there is a session: that the password expires soon. */
  { readonly accepted: true; readonly notice?: string | undefined } | ({ readonly accepted: false } & Refusal);

/** Names as SASL has them, of those mechanisms that look at a password. */
export type PasswordMechanism = 'PLAIN' | `SCRAM-${ScramHash}` | `SCRAM-${ScramHash}-PLUS`;

/** Whoever keeps the account cannot be asked just now: logins come again later, and stanzas are answered so. */
export class AccountsAway extends StanzaError {
  override name = 'AccountsAway';

  constructor(options: { cause?: unknown } = {}) {
    super('resource-constraint', { text: 'The accounts cannot be looked up just now.', ...options });
  }
}

/** Who somebody is: the one door to accounts, whatever keeps them. Accounts are bare JIDs. */
export interface Authenticator {
  /** The account is known and may receive stanzas; a disabled one exists but may not log in. */
  exists(account: Jid): Awaitable<boolean>;
  /**
   * Why an account may not log in now; undefined where it may. Asked when the identity is proved, and not before.
   * Unknown accounts are `not-authorized`.
   */
  refusal(account: Jid): Awaitable<Refusal | undefined>;
  /** What all accounts of the domain can log in with: what is not in it must not be offered. */
  mechanisms(domain: string): ReadonlySet<PasswordMechanism>;
  /**
   * An unknown account takes the same time as a known one. A disabled account may be accepted: `refusal` is asked next.
   * Rejects with AccountsBusy where too much is to be done.
   */
  verifyPassword(account: Jid, password: string): Promise<PasswordVerdict>;
  /** What SCRAM compares with, of a disabled account, too; undefined where the account is unknown. */
  verifier(account: Jid, hash: ScramHash): Awaitable<ScramVerifier | undefined>;
  /**
   * Whoever speaks SCRAM for the account, known or not, in place of this server; undefined where nobody does. Rejects
   * with AccountsBusy.
   */
  relay?(account: Jid, hash: ScramHash): Awaitable<ScramRelay | undefined>;
  /** What the person who has logged in by another way than a password is to be told once there is a session. */
  notice?(account: Jid): Awaitable<string | undefined>;
  /** One that no password fits, always the same for the same account, that looks as real ones do. */
  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier;
  /**
   * Absent where passwords are changed elsewhere. Throws a StanzaError where the new one is refused, with the reason in
   * words. `old` is the one before, where it is known.
   */
  setPassword?(account: Jid, password: string, sessionId?: string, old?: string): Promise<void>;
  /** The hashes whose verifiers of a password that stays may come from clients (XEP-0480), in accounts of this domain. */
  upgrades?(domain: string): readonly ScramHash[];
  /** By what a verifier would be made that is better than the one that there is; undefined where none would be. */
  upgrade?(account: Jid, hash: ScramHash): Awaitable<ScramParameters | undefined>;
  /** Keeps a better verifier of the password that `proved` is of. False where the account has another password by now. */
  keepUpgraded?(account: Jid, better: ScramVerifier, proved: ScramVerifier): Promise<boolean>;
  /** Passwords of accounts of this domain may have to be changed before they are good for a login, and can be by `setPassword`. */
  renews?(domain: string): boolean;
  /**
   * What it takes to change a password that is not good for a login any more (`credentials-expired`), from the person
   * alone; undefined where it is not to be done here. `byOld`: the one before is needed.
   */
  renewal?(account: Jid): Awaitable<{ readonly byOld: boolean } | undefined>;
  /** Becomes another text when the password does, also where it is changed elsewhere; undefined where nobody can tell. */
  passwordMark?(account: Jid): Awaitable<string | undefined>;
  /** Strangers may be given accounts of this domain, as far as those who keep them are concerned. */
  creates(domain: string): boolean;
  /** Absent where accounts are made elsewhere. Throws a StanzaError `conflict` where the account exists. */
  create?(account: Jid, password: string): Promise<void>;
  /** Takes away the account and all that belongs to it. Throws a StanzaError where there is no such account. */
  remove?(account: Jid, sessionId?: string): Promise<void>;
  /**
   * Takes away what an account has left behind that nobody has any more. False where that is nothing. Whoever asks for it
   * tells everybody.
   */
  removeRemains?(account: Jid): Promise<boolean>;
  disable?(account: Jid): Promise<void>;
  enable?(account: Jid): Promise<void>;
  /** Absent where accounts are made elsewhere. */
  readonly imports?: AccountImports;
  /** What there is to prove a password by, where the server keeps it itself. */
  secretsOf?(account: Jid): Promise<readonly ScramVerifier[]>;
  /** The accounts of a domain in their order (see account-order.ts), in pages: all, or those behind one. */
  list?(domain: string, after?: Jid): AsyncIterable<readonly Jid[]>;
  /** Whoever made the change waits for the listeners. */
  onChange(listener: (change: AccountChange) => Awaitable<void>): void;
  /**
   * Whether whoever was logged in as this account, which has come to be in a source, was another one: an account of the
   * same address in a source that is asked later.
   */
  displaces?(change: AccountChange): Awaitable<boolean>;
  /** Another node has changed an account. */
  changedElsewhere?(change: AccountChange): void;
}
