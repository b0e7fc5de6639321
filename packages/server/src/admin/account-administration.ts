import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid, JidError } from '@parley/xmpp/jid';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Client, ClientAccess } from '../auth/clients/client-access.ts';
import { AdministrationError } from './administration-error.ts';

export interface ListedAccount {
  readonly jid: string;
  readonly enabled: boolean;
}

/** How far a move of an account has come. */
export interface AccountMoveProgress {
  /** What is done just now; `done` is the end. */
  readonly step: 'reserve' | 'lock' | 'take' | 'adopt' | 'contacts' | 'open' | 'drop' | 'done';
  readonly contacts: readonly [done: number, all: number];
  /** Why it does not go on just now, in words; '' while it does. */
  readonly trouble: string;
}

/** Moves an account to another address: tells how far that is, as it goes on. */
export type MoveAccount = (from: Jid, to: Jid) => AsyncIterable<AccountMoveProgress>;

/** What administrators do with accounts. Addresses are text as a person wrote them; every refusal is an AdministrationError. */
export interface AccountAdministration {
  add(jid: string, password: string): Promise<void>;
  setPassword(jid: string, password: string): Promise<void>;
  disable(jid: string): Promise<void>;
  enable(jid: string): Promise<void>;
  remove(jid: string): Promise<void>;
  /** Gives an account another address; it goes on where nobody follows. */
  move(jid: string, to: string): AsyncIterable<AccountMoveProgress>;
  /** The clients that have access to an account, the last seen first. */
  clients(jid: string): Promise<readonly Client[]>;
  /** Takes a client's access away, or that of all. */
  revoke(jid: string, client: string | undefined): Promise<void>;
  /** Of one domain, or of all; in pages and in no order. */
  list(domain?: string): AsyncIterable<readonly ListedAccount[]>;
}

/** Accounts that are looked at together: whoever keeps them may be busy with others, too. */
const AT_ONCE = 64;

/** Administration of the accounts that an authenticator keeps; `keeps` is false for domains whose accounts it has not. */
export function administerAccounts(
  accounts: Authenticator,
  domains: readonly string[],
  move: MoveAccount,
  access: ClientAccess,
  keeps: (domain: string) => boolean = () => true,
): AccountAdministration {
  const bare = (text: string): Jid => {
    let jid: Jid;
    try {
      jid = Jid.parse(text);
    } catch (error) {
      if (error instanceof JidError)
        throw new AdministrationError('invalid', `"${text}" is no address: ${error.message}`);
      throw error;
    }
    if (jid.local === '' || !jid.isBare) {
      throw new AdministrationError('invalid', `"${text}" is no account: write it as user@domain.`);
    }
    return jid;
  };

  const account = (text: string): Jid => {
    const jid = bare(text);
    if (!domains.includes(jid.domain)) {
      const served = domains.join(', ');
      throw new AdministrationError('invalid', `The domain ${jid.domain} is not served here. Served are: ${served}.`);
    }
    if (!keeps(jid.domain)) {
      throw new AdministrationError(
        'refused',
        `The accounts of ${jid.domain} are in a directory: start the node first.`,
      );
    }
    return jid;
  };

  const described = async (jid: Jid): Promise<ListedAccount> => ({
    jid: jid.toString(),
    enabled: (await accounts.refusal(jid)) === undefined,
  });

  const act = async (text: string, action: ((jid: Jid) => Promise<void> | undefined) | undefined): Promise<void> => {
    const jid = account(text);
    if (action === undefined) {
      throw new AdministrationError('refused', 'These accounts are kept in a directory: change them there.');
    }
    try {
      await action.call(accounts, jid);
    } catch (error) {
      throw inWords(error, jid);
    }
  };

  /** Of an account that there is. */
  const withClients = async <T>(text: string, work: (jid: Jid) => Promise<T>): Promise<T> => {
    const jid = account(text);
    try {
      if (!(await accounts.exists(jid))) throw new StanzaError('item-not-found');
      return await work(jid);
    } catch (error) {
      throw inWords(error, jid);
    }
  };

  return {
    add: (jid, password) => act(jid, accounts.create && ((bare) => accounts.create?.(bare, password))),
    setPassword: (jid, password) =>
      act(jid, accounts.setPassword && ((bare) => accounts.setPassword?.(bare, password))),
    disable: (jid) => act(jid, accounts.disable),
    enable: (jid) => act(jid, accounts.enable),
    remove: (jid) => act(jid, accounts.remove),
    async *move(jid, to) {
      const from = bare(jid); // its domain may be one that is served no more
      try {
        yield* move(from, account(to));
      } catch (error) {
        throw inWords(error, from);
      }
    },
    clients: (text) => withClients(text, (jid) => access.list(jid)),
    revoke: (text, client) =>
      withClients(text, async (jid) => {
        if (client === undefined) await access.revokeAll(jid);
        else if ((await access.revoke(jid, client, { forced: true })) === 'unknown') {
          throw new AdministrationError(
            'not-found',
            `${jid} has no client ${client}: "parley account clients" has them.`,
          );
        }
      }),
    async *list(domain) {
      if (domain !== undefined && !domains.includes(domain)) {
        throw new AdministrationError(
          'invalid',
          `The domain ${domain} is not served here. Served are: ${domains.join(', ')}.`,
        );
      }
      for (const name of domain === undefined ? domains : [domain]) {
        for await (const page of accounts.list?.(name) ?? []) {
          const listed: ListedAccount[] = [];
          for (let i = 0; i < page.length; i += AT_ONCE) {
            listed.push(...(await Promise.all(page.slice(i, i + AT_ONCE).map(described))));
          }
          yield listed;
        }
      }
    },
  };
}

function inWords(error: unknown, jid: Jid): unknown {
  if (error instanceof KeyspaceError) {
    return new AdministrationError('unavailable', `Nothing can be stored just now: ${error.message}`);
  }
  if (!(error instanceof StanzaError)) return error;
  switch (error.condition) {
    case 'conflict':
      return new AdministrationError('conflict', `${jid} exists already.`);
    case 'item-not-found':
      return new AdministrationError('not-found', `There is no account ${jid}.`);
    case 'resource-constraint':
      return new AdministrationError('unavailable', 'Too many passwords are being worked on: try again in a moment.');
    default:
      return new AdministrationError('refused', error.text ?? `Refused: ${error.condition}.`);
  }
}
