// The thread that writes the embedded keyspace to disk, so that a slow disk never holds up the event loop.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { KeyspaceError } from '../keyspace-error.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { Database, type LogRow, type StoredRow } from './database.ts';
import type { FromWriter, ToWriter, WriterSettings } from './writer-message.ts';

const CHUNK = 1024 * 1024;
const RETRY = 1000;

if (!parentPort) throw new Error('This file is the body of a worker thread');
const port = parentPort;

const send = (message: FromWriter, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

function open(): Database | undefined {
  try {
    return new Database(workerData as WriterSettings);
  } catch (error) {
    refuse(error);
    return undefined;
  }
}

function refuse(error: unknown): void {
  const failure = error instanceof KeyspaceError ? error.failure : 'damaged';
  send({ type: 'refused', failure, message: (error as Error).message });
  port.close();
}

interface Piece {
  message: FromWriter;
  transfer: ArrayBuffer[];
}

/** Everything that is stored, in pieces, each of which is asked for with `next`. */
function* load(database: Database): Generator<Piece, void> {
  const writer = new ByteWriter();
  let last = database.truncated;
  for (const { key, seq, value } of database.values()) {
    if (!value) continue;
    writer.varint(key.length);
    writer.raw(key);
    writer.varint(seq);
    writer.varint(value.length);
    writer.raw(value);
    if (writer.length >= CHUNK) yield piece('values', writer);
  }
  yield piece('values', writer);
  const warnings: string[] = [];
  for (const { seq, row } of database.rows((warning) => warnings.push(warning))) {
    last = seq;
    writer.varint(seq);
    writer.varint(row.length);
    writer.raw(row);
    if (writer.length >= CHUNK) yield piece('rows', writer);
  }
  yield piece('rows', writer);
  yield { message: { type: 'loaded', last, warnings }, transfer: [] };
}

function piece(type: 'values' | 'rows', writer: ByteWriter): Piece {
  const bytes = writer.take();
  return { message: { type, bytes }, transfer: [bytes] };
}

function* storedRows(bytes: ArrayBuffer, seq: number): Generator<StoredRow> {
  const reader = new ByteReader(new Uint8Array(bytes));
  while (!reader.atEnd) {
    const key = reader.raw(reader.varint());
    const present = reader.byte() === 1;
    yield { key, seq, value: present ? reader.raw(reader.varint()) : undefined };
  }
}

function run(database: Database): void {
  const loading = load(database);
  let generation = 0;
  let truncating: number | undefined;
  let retry: NodeJS.Timeout | undefined;
  let copying = Promise.resolve();

  const attempt = (body: () => void) => {
    try {
      body();
    } catch (error) {
      const { failure, outcome, message } = database.failure(error);
      generation += 1;
      truncating = undefined;
      send({ type: 'failed', failure, outcome, message });
      retry = setTimeout(recover, RETRY);
    }
  };

  const recover = () => {
    try {
      database.probe();
      send({ type: 'recovered' });
    } catch {
      retry = setTimeout(recover, RETRY);
    }
  };

  /** Rows that wait together are committed together. */
  const append = (rows: LogRow[]) => {
    const last = rows.at(-1);
    if (!last) return;
    attempt(() => {
      database.append(rows);
      send({ type: 'committed', seq: last.seq });
    });
  };

  const removeRows = () => {
    if (truncating === undefined) return;
    const upTo = truncating;
    attempt(() => {
      if (database.removeRows(upTo)) setImmediate(removeRows);
      else truncating = undefined;
    });
  };

  const next = () => {
    try {
      const { value } = loading.next();
      if (value) send(value.message, value.transfer);
    } catch (error) {
      refuse(database.failure(error));
      database.close();
    }
  };

  /** Nothing of what was removed stays in the file. A slice at a time, as all that is long. */
  const scrub = () =>
    attempt(() => {
      const more = truncating === undefined ? database.overwrite() : database.removeRows(truncating);
      if (more) return void setImmediate(scrub);
      if (truncating !== undefined) {
        truncating = undefined;
        return void setImmediate(scrub);
      }
      database.settle();
      send({ type: 'scrubbed' });
    });

  const copy = async (file: string) => {
    try {
      await database.copyTo(file);
      send({ type: 'copied', failure: undefined });
    } catch (error) {
      send({ type: 'copied', failure: (error as Error).message });
    }
  };

  const close = () => {
    database.close();
    send({ type: 'closed' });
    port.close();
  };

  const handle = (message: Exclude<ToWriter, { type: 'append' }>) => {
    switch (message.type) {
      case 'next':
        return next();
      case 'slice':
        if (message.generation !== generation) return;
        return attempt(() => {
          database.store([...storedRows(message.values, message.seq)]);
          send({ type: 'sliced' });
        });
      case 'truncate':
        if (message.generation !== generation) return;
        return attempt(() => {
          database.truncate(message.upTo);
          truncating = message.upTo;
          setImmediate(removeRows);
        });
      case 'limit':
        return database.limit(message.maxBytes);
      case 'scrub':
        return scrub();
      case 'copy':
        copying = copying.then(() => copy(message.file));
        return;
      case 'close':
        clearTimeout(retry);
        truncating = undefined;
        void copying.then(close);
    }
  };

  port.on('message', (first: ToWriter) => {
    let message: ToWriter | undefined = first;
    let rows: LogRow[] = [];
    while (message) {
      if (message.type === 'append') {
        if (message.generation === generation) rows.push({ seq: message.seq, row: new Uint8Array(message.row) });
      } else {
        append(rows);
        rows = [];
        handle(message);
      }
      message = receiveMessageOnPort(port)?.message;
    }
    append(rows);
  });
}

const database = open();
if (database) run(database);
