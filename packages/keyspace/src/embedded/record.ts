import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type Effects, noEffects } from './effects.ts';
import { readStored, type Stored, writeStored } from './stored-value.ts';

// The codes of a log row. Each effect concerns the key that the last KEY named.
const KEY = 1;
const PUT = 2;
const DROP = 3;
const EXPIRE = 4;
const HASH_SET = 5;
const HASH_DELETE = 6;
const LIST_PUSH = 7;
const LIST_SET = 8;
const LIST_SHIFT = 9;
const SET_ADD = 10;
const SET_DELETE = 11;
const SORTED_SET = 12;
const SORTED_DELETE = 13;

/** Writes effects down. */
export class RecordWriter implements Effects {
  readonly #writer: ByteWriter;
  #key: string | undefined;

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  /** To be called when a new row begins. */
  restart(): void {
    this.#key = undefined;
  }

  put(key: string, stored: Stored, expiry: number): void {
    this.#begin(key, PUT);
    this.#writer.varint(expiry);
    writeStored(this.#writer, stored);
  }

  drop(key: string): void {
    this.#begin(key, DROP);
  }

  expire(key: string, expiry: number): void {
    this.#begin(key, EXPIRE);
    this.#writer.varint(expiry);
  }

  hashSet(key: string, field: string, value: string): void {
    this.#begin(key, HASH_SET);
    this.#writer.text(field);
    this.#writer.value(value);
  }

  hashDelete(key: string, field: string): void {
    this.#begin(key, HASH_DELETE);
    this.#writer.text(field);
  }

  listPush(key: string, value: string): void {
    this.#begin(key, LIST_PUSH);
    this.#writer.value(value);
  }

  listSet(key: string, index: number, value: string): void {
    this.#begin(key, LIST_SET);
    this.#writer.varint(index);
    this.#writer.value(value);
  }

  listShift(key: string, count: number): void {
    this.#begin(key, LIST_SHIFT);
    this.#writer.varint(count);
  }

  setAdd(key: string, member: string): void {
    this.#begin(key, SET_ADD);
    this.#writer.value(member);
  }

  setDelete(key: string, member: string): void {
    this.#begin(key, SET_DELETE);
    this.#writer.value(member);
  }

  sortedSet(key: string, member: string, score: number): void {
    this.#begin(key, SORTED_SET);
    this.#writer.value(member);
    this.#writer.double(score);
  }

  sortedDelete(key: string, member: string): void {
    this.#begin(key, SORTED_DELETE);
    this.#writer.value(member);
  }

  #begin(key: string, code: number): void {
    if (key !== this.#key) {
      this.#writer.byte(KEY);
      this.#writer.text(key);
      this.#key = key;
    }
    this.#writer.byte(code);
  }
}

/**
 * Does again what one row tells, except for the keys of which `known` says that their stored value holds it already.
 * Throws where the row does not fit the state: then one of the two is damaged.
 */
export function replay(reader: ByteReader, memory: Effects, known: (key: string) => boolean): void {
  let key: string | undefined;
  let target = noEffects;
  while (!reader.atEnd) {
    const code = reader.byte();
    if (code === KEY) {
      key = reader.text();
      target = known(key) ? noEffects : memory;
    } else if (key === undefined) {
      throw new RangeError('An effect without a key');
    } else {
      readEffect(code, reader, key, target);
    }
  }
}

function readEffect(code: number, reader: ByteReader, key: string, target: Effects): void {
  switch (code) {
    case PUT: {
      const expiry = reader.varint();
      target.put(key, readStored(reader), expiry);
      break;
    }
    case DROP:
      target.drop(key);
      break;
    case EXPIRE:
      target.expire(key, reader.varint());
      break;
    case HASH_SET:
      target.hashSet(key, reader.text(), reader.value());
      break;
    case HASH_DELETE:
      target.hashDelete(key, reader.text());
      break;
    case LIST_PUSH:
      target.listPush(key, reader.value());
      break;
    case LIST_SET:
      target.listSet(key, reader.varint(), reader.value());
      break;
    case LIST_SHIFT:
      target.listShift(key, reader.varint());
      break;
    case SET_ADD:
      target.setAdd(key, reader.value());
      break;
    case SET_DELETE:
      target.setDelete(key, reader.value());
      break;
    case SORTED_SET:
      target.sortedSet(key, reader.value(), reader.double());
      break;
    case SORTED_DELETE:
      target.sortedDelete(key, reader.value());
      break;
    default:
      throw new RangeError(`There is no effect ${code}`);
  }
}
