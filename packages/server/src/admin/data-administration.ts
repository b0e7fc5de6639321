/** What becomes of an account that is there already: it is left alone, gets what it has not, or all but that is taken away. */
export const EXISTING = ['skip', 'merge', 'replace'] as const;
export type Existing = (typeof EXISTING)[number];

/** Some of an account from an export (XEP-0227): the whole of it, or what fits into one message to a node. */
export interface AccountPiece {
  readonly jid: string;
  readonly existing: Existing;
  readonly first: boolean;
  readonly last: boolean;
  /** In the clear, where the export has it so. */
  readonly password?: string;
  /** Children of the account's `<user/>`: XML text, each of which stands for itself. */
  readonly parts: readonly string[];
}

export interface PieceOutcome {
  readonly done: 'begun' | 'added' | 'replaced' | 'skipped';
  /** What could not be taken: of which part, and why. */
  readonly problems: readonly { readonly part: number; readonly text: string }[];
  /** Of the last piece, where the server keeps the account itself: by which hashes of SCRAM it can be logged in to. */
  readonly hashes?: readonly string[];
  /** A directory keeps the account: it was told no password. */
  readonly elsewhere?: true;
}

/** Some text of an export, and how many accounts end in it. */
export interface ExportPiece {
  readonly text: string;
  readonly accounts: number;
  /** In the first piece: by what this server is known. What another one has begun cannot be gone on with. */
  readonly server?: string | undefined;
  /** The account that the text ends with, after which an export can go on; undefined where it ends within one. */
  readonly last?: string | undefined;
}

/** Servers that do not read what XEP-0227 says, and what they read instead. */
export const READERS = ['ejabberd'] as const;
export type Reader = (typeof READERS)[number];

/** What is exported: all, one domain, or one account; and for whom, where not for everybody. */
export interface ExportChoice {
  readonly reader?: Reader | undefined;
  readonly domain?: string | undefined;
  readonly account?: string | undefined;
  /** It goes on behind this account, with which a broken-off one of the same choice ended. */
  readonly after?: string | undefined;
}

/** Some text of one of the files in which all is that is kept about an account. */
export interface ArchivePiece {
  readonly file: (typeof ARCHIVE_FILES)[number];
  readonly text: string;
}

export const ARCHIVE_FILES = [
  'README.txt',
  'account.xml',
  'sessions.json',
  'undelivered.jsonl',
  'kept.json',
  'audit.jsonl',
] as const;

/** Accounts with all that is kept of them, taken from one server to another. Every refusal is an AdministrationError. */
export interface DataAdministration {
  export(choice: ExportChoice): AsyncIterable<ExportPiece>;
  import(piece: AccountPiece): Promise<PieceOutcome>;
  /** All that is kept about one account. */
  archive(account: string): AsyncIterable<ArchivePiece>;
  /** Erases all that is kept about an account: resolves with what that could not be done with, in sentences. */
  erase(account: string): Promise<readonly string[]>;
  /** Everything that is stored, as one file (see backup-file.ts). */
  backup(): AsyncIterable<Buffer>;
}
