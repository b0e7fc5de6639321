import { chmodSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { KeyspaceError, type KeyspaceFailure } from '../keyspace-error.ts';
import { makeFile, makeFolder } from './owned-files.ts';
import type { WriterSettings } from './writer-message.ts';

const FORMAT = 1;
const PAGE = 4096;

const schema = `
  CREATE TABLE log (seq INTEGER PRIMARY KEY, crc INTEGER NOT NULL, row BLOB NOT NULL);
  -- value is NULL where the key was removed and the log may still tell of it.
  CREATE TABLE kv (key BLOB PRIMARY KEY, seq INTEGER NOT NULL, crc INTEGER NOT NULL, value BLOB);
  CREATE INDEX removed ON kv (seq) WHERE value IS NULL;
  CREATE TABLE probe (number INTEGER PRIMARY KEY, filler BLOB NOT NULL);
  CREATE TABLE meta (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES ('truncated', 0);
`;

// SQLite's primary result codes.
const BUSY = 5;
const READ_ONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

export interface LogRow {
  seq: number;
  row: Uint8Array;
}

export interface StoredRow {
  key: Uint8Array;
  /** The row of the log that the value holds already, with all before it. */
  seq: number;
  value: Uint8Array | undefined;
}

/** Pages that are copied at once, before what waits to be written has its turn. */
const COPIED_PAGES = 64;

/** The file that the embedded keyspace is kept in. All of its methods block but `copyTo`. */
export class Database {
  readonly #directory: string;
  readonly #db: DatabaseSync;
  readonly #insertRow: StatementSync;
  readonly #insertValue: StatementSync;
  readonly #deleteRows: StatementSync;

  constructor({ directory, durability, maxBytes }: WriterSettings) {
    this.#directory = directory;
    const file = join(directory, 'keyspace.sqlite');
    try {
      makeFolder(directory);
      makeFile(file);
      closeSync(openSync(file, 'a')); // SQLite gives its log the same rights, and the same owner.
      chmodSync(file, 0o600);
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new KeyspaceError('refused', `The data directory ${directory} cannot be used: ${reason}`, { cause });
    }
    try {
      this.#db = new DatabaseSync(file, { timeout: 0 });
      // Held from the first access on, and let go of by the system when the process ends, however it ends.
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL');
      // What is deleted from a page goes from it, and does not stand in the file until something else takes its place.
      this.#db.exec('PRAGMA secure_delete = FAST');
      this.#db.exec(`PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`);
      // Where the disk is full a store that is there can still be opened, since nothing is written here.
      const prepare = this.#isNew() ? `${schema} PRAGMA user_version = ${FORMAT};` : '';
      this.#db.exec(`BEGIN IMMEDIATE; ${prepare} COMMIT`);
      this.limit(maxBytes);
      this.#insertRow = this.#db.prepare('INSERT INTO log VALUES (?, ?, ?)');
      this.#insertValue = this.#db.prepare('INSERT OR REPLACE INTO kv VALUES (?, ?, ?, ?)');
      this.#deleteRows = this.#db.prepare(
        'DELETE FROM log WHERE seq IN (SELECT seq FROM log WHERE seq <= ? ORDER BY seq LIMIT 64)',
      );
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** An error of SQLite in words for an operator. */
  failure(error: unknown): KeyspaceError {
    if (error instanceof KeyspaceError) return error;
    const { errcode = 0, message } = error as Error & { errcode?: number };
    const say = (failure: KeyspaceFailure, text: string) =>
      // A row that did not fit was taken back. After any other error, only the next start can tell.
      new KeyspaceError(failure, text, { cause: error, outcome: failure === 'full' ? 'not-executed' : 'unknown' });
    switch (errcode & 0xff) {
      case BUSY:
        return say(
          'refused',
          `The data directory ${this.#directory} is in use by another process. Stop that one first, or give this one ` +
            'a directory of its own. Two nodes share their state through Redis.',
        );
      case FULL:
        return say('full', `There is no room left for the data directory ${this.#directory}. Make room on its disk.`);
      case READ_ONLY:
      case CANNOT_OPEN:
        return say('read-only', `The data directory ${this.#directory} cannot be written: ${message}`);
      case CORRUPT:
      case NOT_A_DATABASE:
        return this.#damaged(message);
      default:
        return say('away', `The data directory ${this.#directory} fails: ${message}`);
    }
  }

  limit(maxBytes: number): void {
    const pages = maxBytes === 0 ? 0xfffffffe : Math.max(1, Math.floor(maxBytes / PAGE));
    this.#db.exec(`PRAGMA max_page_count = ${pages}`);
  }

  /** Where the log begins: all rows up to this one are in the stored values. */
  get truncated(): number {
    return Number(this.#db.prepare("SELECT number FROM meta WHERE name = 'truncated'").get()?.number);
  }

  /** Whether anything was ever stored. */
  get holdsAnything(): boolean {
    return this.#db.prepare('SELECT 1 FROM log UNION ALL SELECT 1 FROM kv LIMIT 1').get() !== undefined;
  }

  *values(): Generator<StoredRow> {
    for (const { key, seq, crc, value } of this.#db.prepare('SELECT * FROM kv').iterate()) {
      const bytes = value as Uint8Array | null;
      if (bytes && crc32(bytes) !== crc)
        throw this.#damaged(`the value of ${Buffer.from(key as Uint8Array)} is broken`);
      yield { key: key as Uint8Array, seq: Number(seq), value: bytes ?? undefined };
    }
  }

  /**
   * The rows of the log that the stored values do not hold. The last one is left out, removed and told of where it is
   * broken, for that is how a write ends that was cut off; a broken row anywhere else is damage.
   */
  *rows(warn: (message: string) => void): Generator<LogRow> {
    const { truncated } = this;
    const last = Number(this.#db.prepare('SELECT max(seq) AS last FROM log').get()?.last ?? 0);
    let expected = truncated + 1;
    for (const { seq, crc, row } of this.#db
      .prepare('SELECT * FROM log WHERE seq > ? ORDER BY seq')
      .iterate(truncated)) {
      if (seq !== expected) throw this.#damaged(`row ${expected} of its log is missing`);
      if (crc32(row as Uint8Array) !== crc) {
        if (seq !== last || this.#storedUpTo() >= last) throw this.#damaged(`row ${seq} of its log is broken`);
        warn(
          `The last row of the log in ${this.#directory} is broken and was left out: what it held was never confirmed.`,
        );
        break;
      }
      expected += 1;
      yield { seq, row: row as Uint8Array };
    }
    this.#db.prepare('DELETE FROM log WHERE seq >= ?').run(expected);
  }

  append(rows: readonly LogRow[]): void {
    this.#transaction(() => {
      for (const { seq, row } of rows) this.#insertRow.run(seq, crc32(row), row);
    });
  }

  store(values: readonly StoredRow[]): void {
    this.#transaction(() => {
      for (const { key, seq, value } of values)
        this.#insertValue.run(key, seq, value ? crc32(value) : 0, value ?? null);
    });
  }

  /** The stored values hold everything up to this row. */
  truncate(upTo: number): void {
    this.#transaction(() => {
      this.#db.prepare("UPDATE meta SET number = ? WHERE name = 'truncated'").run(upTo);
      this.#db.prepare('DELETE FROM kv WHERE value IS NULL AND seq <= ?').run(upTo);
    });
  }

  /** Removes some of the rows up to this one. False when none is left. */
  removeRows(upTo: number): boolean {
    return this.#deleteRows.run(upTo).changes > 0;
  }

  /** Copies the whole file as it is at one moment, while it is written on. */
  async copyTo(file: string): Promise<void> {
    closeSync(openSync(file, 'wx', 0o600));
    await backup(this.#db, file, { rate: COPIED_PAGES });
  }

  /** Reads all that is stored, and throws what is wrong with it. */
  check(): void {
    const [answer] = this.#db.prepare('PRAGMA quick_check(1)').all();
    if (answer?.quick_check !== 'ok') throw this.#damaged(String(answer?.quick_check));
    for (const _ of this.values());
    for (const _ of this.rows((warning) => this.#fail(warning)));
  }

  #fail(what: string): never {
    throw this.#damaged(what);
  }

  /** Overwrites some of the pages that hold nothing any more but what once was in them. False when none is left. */
  overwrite(): boolean {
    const insert = this.#db.prepare('INSERT INTO probe (filler) VALUES (zeroblob(?))');
    const free = () => Number(this.#db.prepare('PRAGMA freelist_count').get()?.freelist_count);
    this.#transaction(() => {
      // each takes a page for itself
      for (let count = 0; count < COPIED_PAGES && free() > 0; count++) insert.run(PAGE - 200);
    });
    if (free() > 0) return true;
    this.#transaction(() => this.#db.exec('DELETE FROM probe'));
    return false;
  }

  /** Brings everything into the one file: what is written beside it is empty from here on. */
  settle(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** Throws where nothing can be written. */
  probe(): void {
    const filler = Buffer.alloc(64 * PAGE);
    this.#transaction(() => this.#db.prepare('INSERT OR REPLACE INTO probe VALUES (1, ?)').run(filler));
    this.#transaction(() => this.#db.exec('DELETE FROM probe'));
  }

  close(): void {
    this.#db.close();
  }

  #transaction(body: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      body();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #storedUpTo(): number {
    return Number(this.#db.prepare('SELECT max(seq) AS last FROM kv').get()?.last ?? 0);
  }

  #isNew(): boolean {
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.user_version);
    if (version === 0 || version === FORMAT) return version === 0;
    throw new KeyspaceError(
      'refused',
      `The data directory ${this.#directory} has format ${version}, and this version reads format ${FORMAT} only. ` +
        'Start the version that wrote it.',
    );
  }

  #damaged(what: string): KeyspaceError {
    return new KeyspaceError(
      'damaged',
      `The data directory ${this.#directory} is damaged: ${what}. Put back a copy of it that is whole, ` +
        'or start with another directory.',
    );
  }
}
