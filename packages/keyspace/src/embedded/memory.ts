import { KeyspaceError } from '../keyspace-error.ts';
import type { Effects } from './effects.ts';
import { SortedSet } from './sorted-set.ts';
import type { Stored } from './stored-value.ts';

/** Hears of everything that happens to the state, before it happens. */
export interface Journal {
  readonly record: Effects;
  /** A command looks at a key. */
  see(key: string): void;
  /** A key is about to change. */
  touch(key: string): void;
  /** How to take back the change that follows. */
  undo(step: () => void): void;
}

/**
 * Text cut out of a larger text keeps the larger one alive, and text put together keeps its pieces: what stays in
 * memory for long is a copy.
 */
const copy = (text: string): string => Buffer.from(text).toString();

/** The whole state, in the form in which commands need it. */
export class Memory implements Effects {
  readonly #values = new Map<string, Stored>();
  readonly #expiries = new Map<string, number>();
  readonly #now: () => number;
  #journal: Journal | undefined;
  #sweep: Iterator<[string, number]> | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** From here on changes are journaled. */
  attach(journal: Journal): void {
    this.#journal = journal;
  }

  get size(): number {
    return this.#values.size;
  }

  now(): number {
    return this.#now();
  }

  /** What is stored now, without a look at expiry. */
  raw(key: string): { stored: Stored; expiry: number } | undefined {
    const stored = this.#values.get(key);
    return stored === undefined ? undefined : { stored, expiry: this.#expiries.get(key) ?? 0 };
  }

  /** The value of a key for a command that only looks. */
  find(key: string): Stored | undefined {
    this.#journal?.see(key);
    const stored = this.#values.get(key);
    return stored === undefined || this.#expired(key) ? undefined : stored;
  }

  /** The same for a command that changes it: a value whose time is over is removed first. */
  live(key: string): Stored | undefined {
    this.#journal?.see(key);
    if (this.#expired(key)) this.drop(key);
    return this.#values.get(key);
  }

  expiry(key: string): number {
    return this.#expiries.get(key) ?? 0;
  }

  /** Removes values whose time is over, looking at up to `count` keys. */
  removeExpired(count: number): void {
    for (let looked = 0; looked < count && this.#expiries.size > 0; looked += 1) {
      this.#sweep ??= this.#expiries.entries();
      const { value, done } = this.#sweep.next();
      if (done) {
        this.#sweep = undefined;
        return;
      }
      if (value[1] <= this.#now()) this.drop(value[0]);
    }
  }

  put(key: string, stored: Stored, expiry: number): void {
    const old = this.raw(key);
    if (this.#journal) {
      this.#journal.touch(key);
      this.#journal.record.put(key, stored, expiry);
      this.#journal.undo(() => this.#restore(key, old));
    }
    this.#restore(old ? key : copy(key), { stored, expiry });
  }

  drop(key: string): void {
    const old = this.raw(key);
    if (!old) return;
    if (this.#journal) {
      this.#journal.touch(key);
      this.#journal.record.drop(key);
      this.#journal.undo(() => this.#restore(key, old));
    }
    this.#restore(key, undefined);
  }

  expire(key: string, expiry: number): void {
    const old = this.raw(key);
    if (!old) throw new RangeError(`There is no ${key} that could expire`);
    if (this.#journal) {
      this.#journal.touch(key);
      this.#journal.record.expire(key, expiry);
      this.#journal.undo(() => this.#restore(key, old));
    }
    this.#restore(key, { stored: old.stored, expiry });
  }

  hashSet(key: string, field: string, value: string): void {
    this.#journal?.touch(key);
    const hash = hashOf(key, this.#values.get(key)) ?? this.#make(key, new Map<string, string>());
    const old = hash.get(field);
    if (this.#journal) {
      this.#journal.record.hashSet(key, field, value);
      this.#journal.undo(() => (old === undefined ? hash.delete(field) : hash.set(field, old)));
    }
    hash.set(old === undefined ? copy(field) : field, value);
  }

  hashDelete(key: string, field: string): void {
    const hash = hashOf(key, this.#values.get(key));
    const old = hash?.get(field);
    if (!hash || old === undefined) throw new RangeError(`There is no field ${field} in ${key}`);
    this.#journal?.touch(key);
    this.#journal?.record.hashDelete(key, field);
    this.#journal?.undo(() => hash.set(field, old));
    hash.delete(field);
    this.#removeEmpty(key, hash.size);
  }

  listPush(key: string, value: string): void {
    this.#journal?.touch(key);
    const list = listOf(key, this.#values.get(key)) ?? this.#make<string[]>(key, []);
    this.#journal?.record.listPush(key, value);
    this.#journal?.undo(() => list.pop());
    list.push(value);
  }

  listSet(key: string, index: number, value: string): void {
    const list = listOf(key, this.#values.get(key));
    const old = list?.[index];
    if (!list || old === undefined) throw new RangeError(`There is no element ${index} in ${key}`);
    this.#journal?.touch(key);
    this.#journal?.record.listSet(key, index, value);
    this.#journal?.undo(() => {
      list[index] = old;
    });
    list[index] = value;
  }

  listShift(key: string, count: number): void {
    const list = listOf(key, this.#values.get(key));
    if (!list || list.length < count) throw new RangeError(`There are no ${count} elements in ${key}`);
    this.#journal?.touch(key);
    this.#journal?.record.listShift(key, count);
    const taken = list.splice(0, count);
    this.#journal?.undo(() => {
      const later = list.splice(0);
      for (const value of taken) list.push(value);
      for (const value of later) list.push(value);
    });
    this.#removeEmpty(key, list.length);
  }

  setAdd(key: string, member: string): void {
    this.#journal?.touch(key);
    const set = setOf(key, this.#values.get(key)) ?? this.#make(key, new Set<string>());
    this.#journal?.record.setAdd(key, member);
    this.#journal?.undo(() => set.delete(member));
    set.add(member);
  }

  setDelete(key: string, member: string): void {
    const set = setOf(key, this.#values.get(key));
    if (!set?.has(member)) throw new RangeError(`There is no such member in ${key}`);
    this.#journal?.touch(key);
    this.#journal?.record.setDelete(key, member);
    this.#journal?.undo(() => set.add(member));
    set.delete(member);
    this.#removeEmpty(key, set.size);
  }

  sortedSet(key: string, member: string, score: number): void {
    this.#journal?.touch(key);
    const sorted = sortedOf(key, this.#values.get(key)) ?? this.#make(key, new SortedSet());
    const old = sorted.score(member);
    this.#journal?.record.sortedSet(key, member, score);
    this.#journal?.undo(() => (old === undefined ? sorted.delete(member) : sorted.set(member, old)));
    sorted.set(member, score);
  }

  sortedDelete(key: string, member: string): void {
    const sorted = sortedOf(key, this.#values.get(key));
    const old = sorted?.score(member);
    if (!sorted || old === undefined) throw new RangeError(`There is no such member in ${key}`);
    this.#journal?.touch(key);
    this.#journal?.record.sortedDelete(key, member);
    this.#journal?.undo(() => sorted.set(member, old));
    sorted.delete(member);
    this.#removeEmpty(key, sorted.size);
  }

  #expired(key: string): boolean {
    const expiry = this.#expiries.get(key);
    return expiry !== undefined && expiry <= this.#now();
  }

  #make<Kind extends Stored>(key: string, stored: Kind): Kind {
    this.#journal?.undo(() => this.#restore(key, undefined));
    this.#values.set(copy(key), stored);
    return stored;
  }

  /** A collection without elements is gone; the log's reader comes to the same conclusion by itself. */
  #removeEmpty(key: string, size: number): void {
    if (size > 0) return;
    const old = this.raw(key);
    this.#journal?.undo(() => this.#restore(key, old));
    this.#restore(key, undefined);
  }

  #restore(key: string, state: { stored: Stored; expiry: number } | undefined): void {
    if (!state) {
      this.#values.delete(key);
      this.#expiries.delete(key);
      return;
    }
    this.#values.set(key, state.stored);
    if (state.expiry) this.#expiries.set(key, state.expiry);
    else this.#expiries.delete(key);
  }
}

function wrongType(key: string): KeyspaceError {
  return new KeyspaceError('misuse', `${key} holds a value of another type`);
}

export function stringOf(key: string, stored: Stored | undefined): string | undefined {
  if (stored !== undefined && typeof stored !== 'string') throw wrongType(key);
  return stored;
}

export function hashOf(key: string, stored: Stored | undefined): Map<string, string> | undefined {
  if (stored !== undefined && !(stored instanceof Map)) throw wrongType(key);
  return stored;
}

export function listOf(key: string, stored: Stored | undefined): string[] | undefined {
  if (stored !== undefined && !Array.isArray(stored)) throw wrongType(key);
  return stored;
}

export function setOf(key: string, stored: Stored | undefined): Set<string> | undefined {
  if (stored !== undefined && !(stored instanceof Set)) throw wrongType(key);
  return stored;
}

export function sortedOf(key: string, stored: Stored | undefined): SortedSet | undefined {
  if (stored !== undefined && !(stored instanceof SortedSet)) throw wrongType(key);
  return stored;
}
