import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid, JidError } from '@parley/xmpp/jid';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { AdministrationError } from '../admin/administration-error.ts';
import type { ArchivePiece, DataAdministration, ExportChoice, ExportPiece } from '../admin/data-administration.ts';
import { clusterSecret } from '../cluster-secret.ts';
import { type AccountArchiveHost, archiveOf } from './account-archive.ts';
import { type AccountErasureHost, eraseAccount } from './account-erasure.ts';
import { DOCUMENT_END, DOCUMENT_START, exportAccount, HOST_END, hostStart } from './account-export.ts';
import { AccountImport, type AccountImportHost } from './account-import.ts';
import { backup } from './backup.ts';

export interface DataHost extends AccountImportHost, AccountArchiveHost, AccountErasureHost {
  /** Whether contacts and other nodes can be told that an account is gone. */
  readonly tells: boolean;
  /** Where the data are; undefined where they are not in a file of this process. */
  readonly folder: string | undefined;
  readonly domains: readonly string[];
  /** False for domains whose accounts cannot be looked at from here. */
  keeps(domain: string): boolean;
}

/** Text that is told together, with whole accounts; and where one has more. */
const PIECE = 65_536;
const LARGE_PIECE = 4 * PIECE;

/** What administrators do with all that is kept of accounts. */
export function administerData(host: DataHost): DataAdministration {
  const imports = new AccountImport(host);
  return {
    backup: () => backup(host),
    archive: (jid) => archived(jid, host),
    async erase(jid) {
      const account = accountOf(jid, host);
      if (!host.tells) throw new AdministrationError('refused', NOBODY_TELLS);
      try {
        return await eraseAccount(account, host);
      } catch (error) {
        throw inWords(error);
      }
    },
    export: (choice) => inPieces(exported(choice, host)),
    async import(piece) {
      const account = accountOf(piece.jid, host);
      try {
        return await imports.take(account, piece);
      } catch (error) {
        throw inWords(error);
      }
    },
  };
}

const NOBODY_TELLS = 'Start the server first: it tells the contacts of the account, and ends its sessions.';

async function* archived(jid: string, host: DataHost): AsyncGenerator<ArchivePiece> {
  const account = accountOf(jid, host);
  if (!(await host.accounts.exists(account))) throw new AdministrationError('not-found', `There is no account ${jid}.`);
  yield* archiveOf(account, host);
}

/**
 * Domains come in the order of their names and accounts in theirs, so that it can go on behind an account: what comes to be
 * meanwhile is there where its place is not passed, and nothing is there twice.
 */
async function* exported(choice: ExportChoice, host: DataHost): AsyncGenerator<ExportPiece> {
  const { domain, account, reader } = choice;
  const one = account === undefined ? undefined : accountOf(account, host);
  if (one !== undefined && !(await host.accounts.exists(one))) {
    throw new AdministrationError('not-found', `There is no account ${one}.`);
  }
  const domains = one === undefined ? (domain === undefined ? host.domains : [served(domain, host)]) : [one.domain];
  const after = choice.after === undefined ? undefined : accountOf(choice.after, host);
  yield { text: after === undefined ? DOCUMENT_START : '', accounts: 0, server: await nameOf(host) };
  for (const name of [...domains].sort()) {
    if (after !== undefined && name < after.domain) continue;
    const begun = name === after?.domain ? after : undefined;
    if (begun === undefined) yield { text: hostStart(name), accounts: 0 };
    const pages = one === undefined ? (host.accounts.list?.(name, begun) ?? []) : [begun === undefined ? [one] : []];
    for await (const page of pages) {
      for (const each of page) {
        let there = false; // it may have been removed meanwhile
        for await (const text of exportAccount(each, host, reader)) {
          there = true;
          yield { text, accounts: 0 };
        }
        if (there) yield { text: '\n', accounts: 1, last: each.bareText };
      }
    }
    yield { text: HOST_END, accounts: 0 };
  }
  yield { text: DOCUMENT_END, accounts: 0 };
}

/** The same for all that share the accounts, and for nobody else. */
async function nameOf({ keyspace, config }: DataHost): Promise<string> {
  const secret = await clusterSecret(config(), keyspace);
  return secret('name of the server in exports').toString('hex', 0, 16);
}

/** Small pieces are put together, so that each account costs little. */
async function* inPieces(pieces: AsyncIterable<ExportPiece>): AsyncGenerator<ExportPiece> {
  const none: ExportPiece = { text: '', accounts: 0 };
  let some = none;
  for await (const { text, accounts, server = some.server, last } of pieces) {
    some = { text: some.text + text, accounts: some.accounts + accounts, server, last };
    if (some.text.length < (last === undefined ? LARGE_PIECE : PIECE)) continue;
    yield some;
    some = none;
  }
  yield some;
}

function accountOf(text: string, host: DataHost): Jid {
  try {
    const jid = Jid.parse(text);
    if (jid.local !== '' && jid.isBare) {
      served(jid.domain, host);
      return jid;
    }
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
    throw new AdministrationError('invalid', `"${text}" is no address: ${error.message}`);
  }
  throw new AdministrationError('invalid', `"${text}" is no account.`);
}

function served(domain: string, { domains, keeps }: DataHost): string {
  if (!domains.includes(domain)) {
    throw new AdministrationError(
      'invalid',
      `The domain ${domain} is not served here. Served are: ${domains.join(', ')}.`,
    );
  }
  if (!keeps(domain)) {
    throw new AdministrationError('refused', `The accounts of ${domain} are in a directory: start the node first.`);
  }
  return domain;
}

function inWords(error: unknown): unknown {
  if (error instanceof KeyspaceError) {
    return new AdministrationError('unavailable', `Nothing can be stored just now: ${error.message}`);
  }
  if (!(error instanceof StanzaError)) return error;
  const busy = error.condition === 'resource-constraint';
  return new AdministrationError(busy ? 'unavailable' : 'refused', error.text ?? `Refused: ${error.condition}.`);
}
