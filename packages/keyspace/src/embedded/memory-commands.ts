import type { Commands, Fields, ScoredMember, ScoreRange, SetOptions, Value } from '../command.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import { hashOf, listOf, type Memory, setOf, sortedOf, stringOf } from './memory.ts';

const bytes = (value: Value): string =>
  typeof value === 'string' ? Buffer.from(value).toString('latin1') : value.toString('latin1');

const buffer = (value: string): Buffer => Buffer.from(value, 'latin1');

/** The length of an expiry is bounded by what a varint and a clock can hold. */
const FOREVER = Number.MAX_SAFE_INTEGER;

const decimal = /^(?:0|-?[1-9]\d*)$/;

function sum(old: string, increment: number): number {
  const number = Number(old);
  const result = number + increment;
  if (!decimal.test(old) || !Number.isSafeInteger(number) || !Number.isSafeInteger(result)) {
    throw new KeyspaceError('misuse', `An increment by ${increment} needs an integer, and its sum has to be one`);
  }
  return result;
}

/** The data commands on the state in memory. */
export class MemoryCommands implements Commands {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get(key: string): Buffer | undefined {
    const value = stringOf(key, this.#memory.find(key));
    return value === undefined ? undefined : buffer(value);
  }

  set(key: string, value: Value, { px, nx }: SetOptions = {}): boolean {
    if (nx && this.#memory.live(key) !== undefined) return false;
    this.#memory.put(key, bytes(value), px ? this.#after(px) : 0);
    return true;
  }

  del(...keys: string[]): number {
    let count = 0;
    for (const key of keys) {
      if (this.#memory.live(key) === undefined) continue;
      this.#memory.drop(key);
      count += 1;
    }
    return count;
  }

  pexpire(key: string, milliseconds: number): boolean {
    if (this.#memory.live(key) === undefined) return false;
    this.#memory.expire(key, this.#after(milliseconds));
    return true;
  }

  incrby(key: string, increment: number): number {
    const result = sum(stringOf(key, this.#memory.live(key)) ?? '0', increment);
    this.#memory.put(key, String(result), this.#memory.expiry(key));
    return result;
  }

  hget(key: string, field: string): Buffer | undefined {
    const value = hashOf(key, this.#memory.find(key))?.get(field.toWellFormed());
    return value === undefined ? undefined : buffer(value);
  }

  hset(key: string, fields: Fields): number {
    const before = hashOf(key, this.#memory.live(key))?.size ?? 0;
    for (const [field, value] of fields) this.#memory.hashSet(key, field.toWellFormed(), bytes(value));
    return this.hlen(key) - before;
  }

  hdel(key: string, ...fields: string[]): number {
    const hash = hashOf(key, this.#memory.live(key));
    let count = 0;
    for (const field of fields) {
      if (!hash?.has(field.toWellFormed())) continue;
      this.#memory.hashDelete(key, field.toWellFormed());
      count += 1;
    }
    return count;
  }

  hgetall(key: string): Map<string, Buffer> {
    const all = new Map<string, Buffer>();
    for (const [field, value] of hashOf(key, this.#memory.find(key)) ?? []) all.set(field, buffer(value));
    return all;
  }

  hlen(key: string): number {
    return hashOf(key, this.#memory.find(key))?.size ?? 0;
  }

  hincrby(key: string, field: string, increment: number): number {
    const name = field.toWellFormed();
    const result = sum(hashOf(key, this.#memory.live(key))?.get(name) ?? '0', increment);
    this.#memory.hashSet(key, name, String(result));
    return result;
  }

  rpush(key: string, ...values: Value[]): number {
    listOf(key, this.#memory.live(key));
    for (const value of values) this.#memory.listPush(key, bytes(value));
    return this.llen(key);
  }

  rpushx(key: string, ...values: Value[]): number {
    return listOf(key, this.#memory.live(key)) === undefined ? 0 : this.rpush(key, ...values);
  }

  lset(key: string, index: number, value: Value): boolean {
    const length = listOf(key, this.#memory.live(key))?.length ?? 0;
    const position = index < 0 ? length + index : index;
    if (position < 0 || position >= length) return false;
    this.#memory.listSet(key, position, bytes(value));
    return true;
  }

  lpop(key: string, count = 1): Buffer[] {
    const taken = listOf(key, this.#memory.live(key))?.slice(0, count) ?? [];
    if (taken.length > 0) this.#memory.listShift(key, taken.length);
    return taken.map(buffer);
  }

  ltrim(key: string, start: number): void {
    const count = Math.min(start, listOf(key, this.#memory.live(key))?.length ?? 0);
    if (count > 0) this.#memory.listShift(key, count);
  }

  lrange(key: string, start: number, stop: number): Buffer[] {
    const list = listOf(key, this.#memory.find(key)) ?? [];
    const first = start < 0 ? Math.max(list.length + start, 0) : start;
    const last = stop < 0 ? list.length + stop : stop;
    return last < first ? [] : list.slice(first, last + 1).map(buffer);
  }

  llen(key: string): number {
    return listOf(key, this.#memory.find(key))?.length ?? 0;
  }

  rename(key: string, to: string): boolean {
    const stored = this.#memory.live(key);
    if (stored === undefined) return false;
    if (key === to) return true;
    const expiry = this.#memory.expiry(key);
    this.#memory.drop(key);
    this.#memory.put(to, stored, expiry);
    return true;
  }

  sadd(key: string, ...members: Value[]): number {
    setOf(key, this.#memory.live(key));
    let count = 0;
    for (const member of members.map(bytes)) {
      if (setOf(key, this.#memory.find(key))?.has(member)) continue;
      this.#memory.setAdd(key, member);
      count += 1;
    }
    return count;
  }

  srem(key: string, ...members: Value[]): number {
    const set = setOf(key, this.#memory.live(key));
    let count = 0;
    for (const member of members.map(bytes)) {
      if (!set?.has(member)) continue;
      this.#memory.setDelete(key, member);
      count += 1;
    }
    return count;
  }

  smembers(key: string): Buffer[] {
    return Array.from(setOf(key, this.#memory.find(key)) ?? [], buffer);
  }

  spop(key: string, count = 1): Buffer[] {
    const taken = setOf(key, this.#memory.live(key))?.values().take(count).toArray() ?? [];
    for (const member of taken) this.#memory.setDelete(key, member);
    return taken.map(buffer);
  }

  zadd(key: string, score: number, member: Value): boolean {
    const name = bytes(member);
    const old = sortedOf(key, this.#memory.live(key))?.score(name);
    if (old !== score) this.#memory.sortedSet(key, name, score);
    return old === undefined;
  }

  zrem(key: string, ...members: Value[]): number {
    const sorted = sortedOf(key, this.#memory.live(key));
    let count = 0;
    for (const member of members.map(bytes)) {
      if (sorted?.score(member) === undefined) continue;
      this.#memory.sortedDelete(key, member);
      count += 1;
    }
    return count;
  }

  zrangebyscore(key: string, { min, max, limit = FOREVER }: ScoreRange): ScoredMember[] {
    const found: ScoredMember[] = [];
    for (const [member, score] of sortedOf(key, this.#memory.find(key))?.range(min, max) ?? []) {
      if (found.length >= limit) break;
      found.push({ member: buffer(member), score });
    }
    return found;
  }

  #after(milliseconds: number): number {
    return Math.min(this.#memory.now() + milliseconds, FOREVER);
  }
}
