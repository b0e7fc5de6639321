import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Element } from '@parley/xmpp/element';
import { elementFromText, XmlDocumentError } from '@parley/xmpp/element-text';
import type { Jid } from '@parley/xmpp/jid';
import type { ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import type { AccountPart, PartHost } from '../account-part.ts';
import type { AccountPiece, PieceOutcome } from '../admin/data-administration.ts';
import type { Authenticator, ImportedAccount } from '../auth/authenticator.ts';
import type { Configuration } from '../config/schema.ts';
import { isDescription, readDescription } from './account-description.ts';
import { isCredentials, readCredentials, readScramPassword } from './scram-credentials.ts';

export interface AccountImportHost {
  readonly keyspace: Keyspace;
  readonly accounts: Authenticator;
  readonly parts: readonly AccountPart[];
  config(): Configuration;
  /** All that was known of what the account has is to be read anew, here and elsewhere, by its clients too. */
  changed(account: Jid): Promise<void>;
}

interface Part {
  readonly number: number;
  readonly element: Element;
}

const FOREIGN_SECRETS =
  'Its SCRAM credentials cannot be used here: SCRAM-SHA-1, -256 and -512 with 4096 to 10000000 iterations are known. Set a password (parley account passwd).';
/** What Openfire's plugin writes where it cannot read a password. Whoever knows the name could log in. */
const NAME_AS_PASSWORD =
  'Its password is its name, which servers write that cannot read passwords: it is not taken. Set one (parley account passwd).';
const MERGED_SECRETS = 'The account keeps the password that it has here.';

/** One account after the other is taken in, a piece at a time. A piece may come twice, from whoever begins anew. */
export class AccountImport {
  readonly #host: AccountImportHost;

  constructor(host: AccountImportHost) {
    this.#host = host;
  }

  async take(account: Jid, piece: AccountPiece): Promise<PieceOutcome> {
    const problems: { part: number; text: string }[] = [];
    const parts = elements(piece.parts, problems);
    const secrets = readSecrets(account, piece.password, parts, problems);
    const known = await this.#begin(account, piece, secrets);
    if (known === 'there' && piece.existing === 'skip') return { done: 'skipped', problems: [] };
    const host: PartHost = { keyspace: this.#host.keyspace, config: this.#host.config() };
    const replaces = known !== 'begun' && piece.existing === 'replace';
    if (replaces && piece.first) for (const part of this.#host.parts) await part.clear(account, host);
    await this.#takeSecrets(account, known, replaces, piece, secrets);
    for (const { number, element } of parts) {
      for (const text of await this.#takePart(account, element, known, host)) problems.push({ part: number, text });
    }
    if (secrets.there && known === 'there' && !replaces) problems.push({ part: -1, text: MERGED_SECRETS });
    const hashes = piece.last ? await this.#end(account, known) : undefined;
    const done = known === 'begun' ? 'begun' : replaces ? 'replaced' : 'added';
    if (known === 'elsewhere') return { done, problems, elsewhere: true };
    return { done, problems, ...(hashes !== undefined && { hashes }) };
  }

  async #begin(account: Jid, piece: AccountPiece, secrets: Secrets): Promise<ImportedAccount> {
    const { imports } = this.#host.accounts;
    const { password, verifiers } = secrets;
    return (await imports?.begin(account, piece.first ? { password, verifiers } : { verifiers: [] })) ?? 'elsewhere';
  }

  async #takeSecrets(account: Jid, known: ImportedAccount, replaces: boolean, piece: AccountPiece, secrets: Secrets) {
    if (!secrets.there || known === 'elsewhere' || (known === 'there' && !replaces)) return;
    if (known === 'begun' && piece.first) return; // it was made with them
    await this.#host.accounts.imports?.secrets(account, secrets, replaces && piece.first);
  }

  async #takePart(account: Jid, element: Element, known: ImportedAccount, host: PartHost): Promise<readonly string[]> {
    if (isCredentials(element)) return [];
    if (isDescription(element)) {
      const { disabled, created } = readDescription(element);
      if (known === 'begun') await this.#host.accounts.imports?.describe(account, disabled, created);
      return [];
    }
    const part = this.#host.parts.find((each) => each.reads(element));
    if (part === undefined) return [`<${element.name}/> of ${element.ns} is nothing that is kept here.`];
    return part.read(account, element, host);
  }

  async #end(account: Jid, known: ImportedAccount): Promise<readonly string[]> {
    const hashes = (await this.#host.accounts.imports?.end(account)) ?? [];
    if (known !== 'begun') await this.#host.changed(account);
    return hashes;
  }
}

function elements(texts: readonly string[], problems: { part: number; text: string }[]): Part[] {
  return texts.flatMap((text, number) => {
    try {
      return [{ number, element: elementFromText(text) }];
    } catch (error) {
      if (!(error instanceof XmlDocumentError)) throw error;
      problems.push({ part: number, text: error.message });
      return [];
    }
  });
}

interface Secrets {
  readonly there: boolean;
  readonly password: string | undefined;
  readonly verifiers: readonly ScramVerifier[];
}

function readSecrets(
  account: Jid,
  told: string | undefined,
  parts: readonly Part[],
  problems: { part: number; text: string }[],
): Secrets {
  const isName = told?.toLowerCase() === account.local.toLowerCase();
  if (isName) problems.push({ part: -1, text: NAME_AS_PASSWORD });
  const written = isName ? undefined : told;
  const verifiers: ScramVerifier[] = [];
  const fromPassword = written === undefined ? undefined : readScramPassword(written);
  if (fromPassword !== undefined) verifiers.push(fromPassword);
  const password = fromPassword === undefined && written !== '' ? written : undefined;
  for (const { number, element } of parts) {
    if (!isCredentials(element)) continue;
    const verifier = readCredentials(element);
    if (verifier === undefined) problems.push({ part: number, text: FOREIGN_SECRETS });
    else verifiers.push(verifier);
  }
  return { there: password !== undefined || verifiers.length > 0, password, verifiers };
}
