import { randomBytes } from 'node:crypto';
import { PARTITIONS, partition } from '@parley/keyspace/key';
import { declareKeys, type Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { Jid } from '@parley/xmpp/jid';
import { formatScramVerifier, type ScramHash, type ScramVerifier, scramHashes } from '@parley/xmpp/sasl/scram-verifier';
import { changeAccount, changeUnchangedAccount, createAccount } from './account-operations.ts';
import { compareAccounts } from './account-order.ts';

export const accountKeys = declareKeys({
  name: 'account',
  type: 'hash',
  content:
    'created (milliseconds since 1970), disabled (0 or 1), a SCRAM verifier for each hash (RFC 5803 §3), mark (random, another ' +
    'one with each password); arriving (the ' +
    'move that brings it from another address); importing (what disabled will be once all of it is imported)',
  bound: 'eight fields',
  ttl: 'none',
});

/** Lies beside the accounts that it lists, so that both change at once. */
export const accountIndexKeys = declareKeys({
  name: 'accounts',
  scope: 'partition',
  parts: ['domain'],
  type: 'set',
  content: 'bare JIDs of the accounts of a domain that lie in this partition',
  bound: 'the accounts',
  ttl: 'none',
});

/** What is kept of an account. */
export interface AccountRecord {
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly disabled: boolean;
  /** Lines of RFC 5803 §3; a password is never kept. */
  readonly verifiers: ReadonlyMap<ScramHash, string>;
  /** Another one with each password; undefined where that is from before there were any. */
  readonly mark: string | undefined;
}

const MARK = 'mark';
const ARRIVING = 'arriving';
const IMPORTING = 'importing';

/** Partitions whose accounts make one page of a list, and are in memory together: one in 64 of all. */
const PARTITIONS_PER_PAGE = 16;

/** The accounts in the keyspace. Works with nothing but a keyspace: in a running node and without one. */
export class AccountStore {
  readonly #keyspace: Keyspace;
  readonly #owned: readonly Keys[];

  /** `owned`: the keys of all modules; those that belong to an account go when the account does. */
  constructor(keyspace: Keyspace, owned: readonly Keys[] = []) {
    this.#keyspace = keyspace;
    this.#owned = owned.filter(({ scope = 'account', parts = [] }) => scope === 'account' && parts.length === 0);
  }

  async find(account: Jid): Promise<AccountRecord | undefined> {
    const fields = await this.#keyspace.hgetall(accountKeys.key(account.bareText));
    if (fields.size === 0) return undefined;
    const verifiers = new Map<ScramHash, string>();
    for (const hash of scramHashes) {
      const line = fields.get(hash);
      if (line !== undefined) verifiers.set(hash, line.toString());
    }
    const [disabled, mark] = ['disabled', MARK].map((field) => fields.get(field)?.toString());
    return { created: Number(fields.get('created')), disabled: disabled === '1', verifiers, mark };
  }

  /** False where the account exists. */
  create(account: Jid, verifiers: readonly ScramVerifier[]): Promise<boolean> {
    const keys = [accountKeys.key(account.bareText), indexKey(account)];
    const fields = ['created', String(Date.now()), 'disabled', '0', ...password(verifiers)];
    return this.#keyspace.call(createAccount, keys, [account.bareText, ...fields]);
  }

  /** False where there is no such account. */
  setVerifiers(account: Jid, verifiers: readonly ScramVerifier[]): Promise<boolean> {
    return this.#keyspace.call(changeAccount, [accountKeys.key(account.bareText)], password(verifiers));
  }

  /** Puts further verifiers of the same password beside this one; false where that is the account's no more. */
  addVerifiers(account: Jid, beside: ScramVerifier, verifiers: readonly ScramVerifier[]): Promise<boolean> {
    const keys = [accountKeys.key(account.bareText)];
    return this.#keyspace.call(changeUnchangedAccount, keys, [...lines([beside]), ...lines(verifiers)]);
  }

  /** Makes an account that nobody can log in to before `openImported`. False where there is one. */
  createImported(account: Jid, verifiers: readonly ScramVerifier[], created = Date.now()): Promise<boolean> {
    const keys = [accountKeys.key(account.bareText), indexKey(account)];
    const fields = ['created', String(created), 'disabled', '1', IMPORTING, '0', ...password(verifiers)];
    return this.#keyspace.call(createAccount, keys, [account.bareText, ...fields]);
  }

  /** Whether the account was begun to be imported, and is not whole yet. */
  async isImporting(account: Jid): Promise<boolean> {
    return (await this.#keyspace.hget(accountKeys.key(account.bareText), IMPORTING)) !== undefined;
  }

  /** What is to be known of an account once it is whole. */
  async describeImported(account: Jid, disabled: boolean, created: number | undefined): Promise<void> {
    const fields = [IMPORTING, disabled ? '1' : '0', ...(created === undefined ? [] : ['created', String(created)])];
    await this.#keyspace.call(changeAccount, [accountKeys.key(account.bareText)], fields);
  }

  /** All of an account is imported: it may be logged in to, unless it is disabled. */
  async openImported(account: Jid): Promise<void> {
    const key = accountKeys.key(account.bareText);
    const disabled = await this.#keyspace.hget(key, IMPORTING);
    if (disabled === undefined) return; // it was done before
    await this.#keyspace.batch(
      [
        ['hset', key, [['disabled', disabled]]],
        ['hdel', key, IMPORTING],
      ],
      { atomic: true },
    );
  }

  /** Puts these verifiers in the place of all that there are. False where there is no such account. */
  async replaceVerifiers(account: Jid, verifiers: readonly ScramVerifier[]): Promise<boolean> {
    if (!(await this.setVerifiers(account, verifiers))) return false;
    const others = scramHashes.filter((hash) => !verifiers.some((each) => each.hash === hash));
    if (others.length > 0) await this.#keyspace.hdel(accountKeys.key(account.bareText), ...others);
    return true;
  }

  /** False where there is no such account. */
  setDisabled(account: Jid, disabled: boolean): Promise<boolean> {
    return this.#keyspace.call(changeAccount, [accountKeys.key(account.bareText)], ['disabled', disabled ? '1' : '0']);
  }

  /**
   * Makes the account that another one becomes, which nobody can log in to before `open`. Twice for the same move is as
   * good as once; false where there is another account of that address.
   */
  async reserve(from: Jid, to: Jid, move: string): Promise<boolean> {
    const fields = await this.#keyspace.hgetall(accountKeys.key(from.bareText));
    const keys = [accountKeys.key(to.bareText), indexKey(to)];
    const kept = [...fields].filter(([field]) => field !== 'disabled').flat();
    const args = [to.bareText, ...kept, 'disabled', '1', ARRIVING, move];
    if (fields.size > 0 && (await this.#keyspace.call(createAccount, keys, args))) return true;
    const other = await this.#keyspace.hget(accountKeys.key(to.bareText), ARRIVING);
    return other?.toString() === move;
  }

  /** Lets in whoever the account was reserved for, with what the account was when it moved. */
  async open(account: Jid, move: string, fields: ReadonlyMap<string, Buffer>, disabled: boolean): Promise<void> {
    const key = accountKeys.key(account.bareText);
    const arriving = await this.#keyspace.hget(key, ARRIVING);
    if (arriving?.toString() !== move) return; // it was done before
    await this.#keyspace.batch(
      [
        ['hset', key, [...fields, ['disabled', disabled ? '1' : '0']]],
        ['hdel', key, ARRIVING],
      ],
      { atomic: true },
    );
  }

  /** Takes away the account and everything that belongs to it, at once. False where there was nothing. */
  async remove(account: Jid): Promise<boolean> {
    const { bareText } = account;
    const owned = this.#owned.map((keys) => keys.key(bareText));
    const [removed] = await this.#keyspace.batch(
      [
        ['del', accountKeys.key(bareText), ...owned],
        ['srem', indexKey(account), bareText],
      ],
      { atomic: true },
    );
    return Number(removed) > 0;
  }

  /** The accounts of a domain in their order, in pages: all, or those behind one. */
  async *list(domain: string, after?: Jid): AsyncGenerator<Jid[], void, undefined> {
    const begun = after === undefined ? 0 : partition(after.bareText);
    for (let first = begun - (begun % PARTITIONS_PER_PAGE); first < PARTITIONS; first += PARTITIONS_PER_PAGE) {
      const keys = Array.from({ length: PARTITIONS_PER_PAGE }, (_, i) =>
        accountIndexKeys.key(String(first + i), domain),
      );
      const replies = await this.#keyspace.batch(
        keys.map((key) => ['smembers', key] as const),
        { atomic: false },
      );
      const all = replies.flatMap((members) => members.map(String).sort()).map((text) => Jid.parse(text));
      const page = after === undefined ? all : all.filter((account) => compareAccounts(account, after) > 0);
      if (page.length > 0) yield page;
    }
  }
}

const indexKey = (account: Jid) => accountIndexKeys.key(String(partition(account.bareText)), account.domain);

const lines = (verifiers: readonly ScramVerifier[]): string[] =>
  verifiers.flatMap((verifier) => [verifier.hash, formatScramVerifier(verifier)]);

/** Those of another password than before. */
const password = (verifiers: readonly ScramVerifier[]): string[] => [
  ...lines(verifiers),
  MARK,
  randomBytes(9).toString('base64url'),
];
