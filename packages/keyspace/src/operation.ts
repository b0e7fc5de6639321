import { readFileSync } from 'node:fs';
import type { Commands, Value } from './command.ts';

/** What an operation's body may answer; null stands for Lua's `false`. Text comes out as a Buffer. */
export type Reply = number | Buffer | null | Reply[];

/** What the JavaScript body of an operation works on. */
export interface OperationView extends Commands {
  /** Milliseconds since 1970. In Lua: `now()`. */
  now(): number;
  /** Sends a frame to a node once the operation is committed. In Lua: `publish(node, frame)`. */
  publish(node: string, frame: Value): void;
}

/** What a body may return: as `Reply`, and text besides; undefined, false and null are the same. */
export type BodyReply = number | string | Buffer | boolean | null | undefined | readonly BodyReply[];

export interface OperationDefinition<Result> {
  /** Appears in statistics and messages. */
  name: string;
  /** The file with the Lua body, beside the store that it serves: `new URL('./bind.lua', import.meta.url)`. */
  lua: URL;
  /**
   * Does the same as the Lua body, synchronously: whatever it refuses it must refuse before it changes anything, since
   * in Redis nothing is undone. `keys` and `args` are what KEYS and ARGV are.
   */
  js(view: OperationView, keys: readonly string[], args: readonly Buffer[]): BodyReply;
  /** Reads the answer. */
  result(reply: Reply): Result;
}

/** A named atomic operation. All keys that it touches, named or not, lie in the partition of its first key. */
export interface Operation<Result> extends Readonly<OperationDefinition<Result>> {
  readonly source: string;
}

/** Redis commands that a Lua body may call: those of `Commands`, since the other implementation has no others. */
const allowed = new Set(
  [
    'get set del pexpire incrby rename hget hset hdel hgetall hlen hincrby',
    'rpush rpushx lset lpop ltrim lrange llen sadd srem smembers spop zadd zrem zrangebyscore',
  ].flatMap((names) => names.split(' ')),
);

function checkLua(name: string, source: string): void {
  for (const [, call] of source.matchAll(/\bredis\s*\.\s*p?call\s*\(\s*([^,)]*)/g)) {
    const command = /^(['"])([A-Za-z]+)\1$/.exec(call?.trim() ?? '')?.[2];
    if (command === undefined) throw new TypeError(`${name}.lua: redis.call needs the command's name as plain text`);
    if (!allowed.has(command.toLowerCase())) throw new TypeError(`${name}.lua calls ${command}, which no keyspace has`);
  }
}

export function defineOperation<Result>(definition: OperationDefinition<Result>): Operation<Result> {
  const source = readFileSync(definition.lua, 'utf8');
  checkLua(definition.name, source);
  return { ...definition, source };
}

/** What Redis would answer for what a body returned. */
export function toReply(name: string, reply: BodyReply): Reply {
  if (reply === undefined || reply === null || reply === false) return null;
  if (reply === true) return 1;
  if (typeof reply === 'string') return Buffer.from(reply);
  if (Buffer.isBuffer(reply)) return reply;
  if (typeof reply !== 'number') return reply.map((element) => toReply(name, element));
  if (!Number.isSafeInteger(reply))
    throw new TypeError(`${name} returned ${reply}, and only integers are numbers there`);
  return reply;
}
