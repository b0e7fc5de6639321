/** What is stored. A string stands for its UTF-8 bytes. What comes out is always a Buffer of its own. */
export type Value = Buffer | string;

export interface SetOptions {
  /** Milliseconds until the key is gone; without it the key stays (and loses an expiry that it had). */
  px?: number;
  /** Only where there is no such key yet. */
  nx?: boolean;
}

export interface ScoreRange {
  /** Both inclusive; -Infinity and Infinity are allowed. */
  min: number;
  max: number;
  /** At most so many members, those with the lowest scores. */
  limit?: number;
}

export interface ScoredMember {
  member: Buffer;
  score: number;
}

export type Fields = ReadonlyMap<string, Value> | readonly (readonly [field: string, value: Value])[];

/**
 * The data commands, in the form in which the body of an operation sees them: at once, without a promise.
 *
 * They do what the Redis command of that name does. A key that does not exist reads as an empty collection, a
 * collection that becomes empty is gone, and a command on a key of another type fails with `misuse`. Integers are those
 * that a number holds exactly (±2^53 - 1). Lists are indexed from 0; negative indexes count from the end.
 */
export interface Commands {
  get(key: string): Buffer | undefined;
  /** False only where `nx` found a key. */
  set(key: string, value: Value, options?: SetOptions): boolean;
  /** How many of these keys there were. */
  del(...keys: string[]): number;
  /** Lets a key end in so many milliseconds. False where there is no such key. */
  pexpire(key: string, milliseconds: number): boolean;
  /** The sum. */
  incrby(key: string, increment: number): number;

  hget(key: string, field: string): Buffer | undefined;
  /** How many of the fields are new. */
  hset(key: string, fields: Fields): number;
  /** How many of the fields there were. */
  hdel(key: string, ...fields: string[]): number;
  hgetall(key: string): Map<string, Buffer>;
  hlen(key: string): number;
  /** The sum. */
  hincrby(key: string, field: string, increment: number): number;

  /** The new length. */
  rpush(key: string, ...values: Value[]): number;
  /** The new length; 0 where there is no such key, which is then not made. */
  rpushx(key: string, ...values: Value[]): number;
  /** False where there is no such key or index: nothing is changed then. */
  lset(key: string, index: number, value: Value): boolean;
  /** Takes up to `count` (1) values from the head. */
  lpop(key: string, count?: number): Buffer[];
  /** Keeps what is from place `start`, which is not negative, on: `stop` is the last place. */
  ltrim(key: string, start: number, stop: -1): void;
  /** From `start` to `stop`, both included. */
  lrange(key: string, start: number, stop: number): Buffer[];
  llen(key: string): number;
  /** False where there is no such key. A key that has the new name already is replaced; an expiry moves along. */
  rename(key: string, to: string): boolean;

  /** How many are new. */
  sadd(key: string, ...members: Value[]): number;
  /** How many there were. */
  srem(key: string, ...members: Value[]): number;
  /** In no order. */
  smembers(key: string): Buffer[];
  /** Takes up to `count` (1) members, whichever. */
  spop(key: string, count?: number): Buffer[];

  /** True where the member is new; otherwise its score is replaced. */
  zadd(key: string, score: number, member: Value): boolean;
  /** How many there were. */
  zrem(key: string, ...members: Value[]): number;
  /** In ascending order of score, then of bytes. */
  zrangebyscore(key: string, range: ScoreRange): ScoredMember[];
}

export type CommandName = keyof Commands;

/** One command as data: `['hget', key, field]`. */
export type Command = { [Name in CommandName]: readonly [Name, ...Parameters<Commands[Name]>] }[CommandName];

export type ReplyTo<C extends Command> = C extends readonly [infer Name extends CommandName, ...unknown[]]
  ? ReturnType<Commands[Name]>
  : never;

const reads = new Set<CommandName>(['get', 'hget', 'hgetall', 'hlen', 'lrange', 'llen', 'smembers', 'zrangebyscore']);

/** True where the command never changes anything. */
export function isRead(name: CommandName): boolean {
  return reads.has(name);
}
