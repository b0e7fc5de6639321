import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Keys } from '@parley/keyspace/key-declaration';
import type { Jid } from '@parley/xmpp/jid';
import type { ArchivePiece } from '../admin/data-administration.ts';
import {
  type AccountExportHost,
  DOCUMENT_END,
  DOCUMENT_START,
  exportAccount,
  HOST_END,
  hostStart,
} from './account-export.ts';
import { belongingsOf, readable } from './belongings.ts';
import { undeliveredOf } from './undelivered.ts';

export interface AccountArchiveHost extends AccountExportHost {
  readonly modules: readonly { readonly keys?: readonly Keys[] }[];
  /** Those that are connected now, wherever. */
  sessions(account: Jid): readonly object[];
}

/** All that is kept about one account, as files that a person can read (GDPR, articles 15 and 20). */
export async function* archiveOf(account: Jid, host: AccountArchiveHost): AsyncGenerator<ArchivePiece> {
  yield { file: 'README.txt', text: readme(account, host.config().audit.file) };
  const xml = (text: string): ArchivePiece => ({ file: 'account.xml', text });
  yield xml(DOCUMENT_START + hostStart(account.domain));
  for await (const text of exportAccount(account, host)) yield xml(text);
  yield xml(`\n${HOST_END}${DOCUMENT_END}`);
  yield { file: 'sessions.json', text: json(host.sessions(account)) };
  for await (const each of undeliveredOf(account, host.keyspace))
    yield { file: 'undelivered.jsonl', text: `${JSON.stringify(each)}\n` };
  const directories = host.config().directories.map(({ name }) => name);
  const kept = new Map<string, unknown>();
  for (const belonging of belongingsOf(account, host.modules, directories)) {
    const value = await readable(host.keyspace, belonging);
    if (value !== undefined) kept.set(belonging.name, value);
  }
  yield { file: 'kept.json', text: json(Object.fromEntries(kept)) };
  for await (const line of auditLines(account, host.config().audit.file))
    yield { file: 'audit.jsonl', text: `${line}\n` };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The entries of the audit stream that name the account, where that goes to a file. */
async function* auditLines(account: Jid, file: string | undefined): AsyncGenerator<string> {
  if (file === undefined || !existsSync(file)) return;
  const names = [account.bareText, JSON.stringify(account.bareText).slice(1, -1)];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (names.some((name) => line.includes(name)) && isAbout(line, account.bareText)) yield line;
  }
}

/** Not merely another address that this one is a part of. */
function isAbout(line: string, account: string): boolean {
  try {
    const values = Object.values(JSON.parse(line) as object).map(String);
    return values.some(
      (value) => value === account || value.startsWith(`${account}/`) || value.startsWith(`${account} `),
    );
  } catch {
    return false;
  }
}

const readme = (account: Jid, audit: string | undefined): string => `What this server keeps about ${account}.

account.xml    the account as other servers can take it over (XEP-0227): what the password is checked by,
               contacts, subscription requests, blocked addresses, private XML, vCard, messages that wait
sessions.json  where the account is logged in just now
undelivered.jsonl
               what its clients have not acknowledged yet, and what it has sent to other servers and waits for
               these; not there where that is nothing
kept.json      everything that is stored under the account's address, as it is stored: the same once more,
               and when the account was made, when it was last there, the clients that have tokens,
               what a directory says of the person. Values that are no text are in base64.
${audit === undefined ? '' : 'audit.jsonl    entries of the audit stream that name the account, as far as they are in its present file\n'}
Not in here: messages that wait for others on this server, to whom they belong; what others have noted of the account (its
address in their contacts and blocklists); log files, rotated audit files, backups; what other servers keep.
`;
