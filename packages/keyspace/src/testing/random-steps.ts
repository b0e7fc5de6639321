// Random use of a keyspace: few keys, fields and members, so that commands meet, and every type on every key.
import fc from 'fast-check';
import type { Command } from '../command.ts';
import type { Keyspace } from '../keyspace.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import { compareAndSet, moveDue, pushBounded } from './example-operations.ts';

const operations = { compareAndSet, moveDue, pushBounded };

/** Keys are letters until a step is taken. */
export type Step =
  | { kind: 'command'; command: Command }
  | { kind: 'batch'; commands: Command[]; atomic: boolean }
  | { kind: 'call'; operation: keyof typeof operations; keys: string[]; args: (string | number | Buffer)[] };

type Named = (letter: string) => string;

const letters = ['a', 'b', 'c', 'd'];
const key = fc.constantFrom(...letters);
const field = fc.constantFrom('f', 'g', '', 'ü🌻');
const bytes = Buffer.from([0, 255, 13, 10]);
const value = fc.constantFrom('', '0', '1', '-7', '01', 'x', 'ü', 'long'.repeat(20), bytes);
const score = fc.constantFrom(-1e300, -1, 0, 1.5, 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
const small = fc.integer({ min: -4, max: 4 });
const positive = fc.integer({ min: 1, max: 3 });
const some = <Item>(item: fc.Arbitrary<Item>) => fc.array(item, { minLength: 1, maxLength: 3 });
const options = fc.record({ px: fc.constantFrom(undefined, 1_000_000), nx: fc.boolean() });
const range = fc.record({ min: score, max: score, limit: fc.constantFrom(undefined, 1, 5) });

const is = <Name extends Command[0]>(...names: Name[]) => fc.constantFrom(...names);
const withList = fc.tuple(is('rpush', 'rpushx', 'sadd', 'srem', 'zrem'), key, some(value));

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(is('set'), key, value, options),
  fc.tuple(is('get', 'hgetall', 'hlen', 'llen', 'smembers'), key),
  some(key).map((keys): Command => ['del', ...keys]),
  fc.tuple(is('pexpire'), key, fc.constant(1_000_000)),
  fc.tuple(is('incrby'), key, small),
  fc.tuple(is('hget'), key, field),
  fc.tuple(is('hset'), key, some(fc.tuple(field, value))),
  fc.tuple(key, some(field)).map(([hash, fields]): Command => ['hdel', hash, ...fields]),
  fc.tuple(is('hincrby'), key, field, small),
  withList.map(([name, collection, list]): Command => [name, collection, ...list]),
  fc.tuple(is('lset'), key, small, value),
  fc.tuple(is('lpop'), key, positive),
  fc.tuple(is('ltrim'), key, fc.nat({ max: 3 }), fc.constant(-1 as const)),
  fc.tuple(is('lrange'), key, small, small),
  fc.tuple(is('rename'), key, key),
  // Of fewer than all, which ones is left open.
  fc.tuple(is('spop'), key, fc.constant(100)),
  fc.tuple(is('zadd'), key, score, value),
  fc.tuple(is('zrangebyscore'), key, range),
);

const call = <Name extends keyof typeof operations>(
  operation: Name,
  keys: fc.Arbitrary<string[]>,
  args: fc.Arbitrary<(string | number | Buffer)[]>,
): fc.Arbitrary<Step> =>
  fc.record({ kind: fc.constant('call' as const), operation: fc.constant(operation), keys, args });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: command.map((one): Step => ({ kind: 'command', command: one })) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('batch' as const), commands: some(command), atomic: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: call('compareAndSet', fc.tuple(key), fc.tuple(fc.constantFrom('0', '1', '2'), field, value)),
  },
  {
    weight: 1,
    arbitrary: call('pushBounded', fc.tuple(key), fc.tuple(fc.constantFrom(1, 2, 5), value, fc.constant('nobody'))),
  },
  { weight: 1, arbitrary: call('moveDue', fc.tuple(key, key), fc.tuple(fc.constantFrom(0, 2), positive)) },
);

export const steps = fc.array(step, { minLength: 1, maxLength: 40 });

function named(one: Command, name: Named): Command {
  if (one[0] === 'del') return ['del', ...one.slice(1).map((letter) => name(String(letter)))];
  if (one[0] === 'rename') return ['rename', name(one[1]), name(one[2])];
  const [method, letter, ...rest] = one;
  return [method, name(letter), ...rest] as unknown as Command;
}

/** Takes a step, and tells the reply in a form in which what means the same looks the same. */
export async function take({ ...step }: Step, keyspace: Keyspace, name: Named): Promise<unknown> {
  try {
    if (step.kind === 'call') {
      return plain(await keyspace.call<unknown>(operations[step.operation], step.keys.map(name), step.args));
    }
    if (step.kind === 'batch') {
      const list = step.commands.map((one) => named(one, name));
      const replies = await keyspace.batch(list, { atomic: step.atomic });
      return replies.map((reply, index) => plainReply(list[index], reply));
    }
    const [method, ...args] = named(step.command, name);
    const reply = await (keyspace[method] as (...args: unknown[]) => Promise<unknown>)(...args);
    return plainReply(step.command, reply);
  } catch (error) {
    if (!(error instanceof KeyspaceError)) throw error;
    const commands = step.kind === 'batch' ? step.commands : [];
    return [error.failure, error.outcome, error.replies?.map((reply, index) => plainReply(commands[index], reply))];
  }
}

function plainReply(command: Command | undefined, reply: unknown): unknown {
  const shown = plain(reply);
  return command && (command[0] === 'smembers' || command[0] === 'spop') && Array.isArray(shown) ? shown.sort() : shown;
}

function plain(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (reply instanceof Map) return [...reply].map(([name, one]) => [name, plain(one)]).sort();
  if (reply instanceof KeyspaceError) return [reply.failure, reply.outcome];
  if (Array.isArray(reply)) return reply.map(plain);
  if (typeof reply === 'object' && reply !== null)
    return Object.entries(reply).map(([name, one]) => [name, plain(one)]);
  return reply;
}

/** All that is stored under the letters. */
export async function dump(keyspace: Keyspace, name: Named): Promise<unknown> {
  const everything = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
  const looks = (letter: string): Command[] => [
    ['get', letter],
    ['hgetall', letter],
    ['lrange', letter, 0, -1],
    ['smembers', letter],
    ['zrangebyscore', letter, everything],
  ];
  const commands = letters.flatMap(looks);
  return Promise.all(commands.map((one) => take({ kind: 'command', command: one }, keyspace, name)));
}
