import type { Keyspace } from '@parley/keyspace/keyspace';
import { escapeAttribute } from '@parley/xmpp/escape';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { AccountPart } from '../account-part.ts';
import type { Reader } from '../admin/data-administration.ts';
import { accountKeys } from '../auth/account-store.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Configuration } from '../config/schema.ts';
import { descriptionElement } from './account-description.ts';
import { credentialsElement } from './scram-credentials.ts';

export interface AccountExportHost {
  readonly keyspace: Keyspace;
  readonly accounts: Authenticator;
  readonly parts: readonly AccountPart[];
  config(): Configuration;
}

/** One account as XEP-0227 has it: a `<user/>`, in pieces; nothing where it is not there. */
export async function* exportAccount(
  account: Jid,
  host: AccountExportHost,
  reader?: Reader,
): AsyncGenerator<string, void> {
  const { keyspace, accounts, parts, config } = host;
  const verifiers = (await accounts.secretsOf?.(account)) ?? [];
  const record = await keyspace.hgetall(accountKeys.key(account.bareText));
  if (verifiers.length === 0 && record.size === 0 && !(await accounts.exists(account))) return;
  yield `<user name='${escapeAttribute(account.local)}'>`;
  for (const verifier of verifiers) {
    // ejabberd takes the first, and by default knows this one alone
    if (reader === 'ejabberd' && verifier.hash !== 'SHA-1') continue;
    yield credentialsElement(verifier, reader === 'ejabberd').toString();
  }
  if (record.size > 0) {
    const disabled = String(record.get('importing') ?? record.get('disabled')) === '1';
    const created = Number(record.get('created'));
    yield descriptionElement({ disabled, created: Number.isFinite(created) ? created : undefined }).toString();
  }
  for (const part of parts) {
    for await (const text of part.write(account, { keyspace, config: config() })) yield text;
  }
  yield '</user>';
}

export const DOCUMENT_START = `<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='${NS.portable}'>\n`;
export const DOCUMENT_END = '</server-data>\n';
export const hostStart = (domain: string): string => `<host jid='${escapeAttribute(domain)}'>\n`;
export const HOST_END = '</host>\n';
