import type { Command } from './command.ts';
import { hashTag } from './key.ts';
import { KeyspaceError } from './keyspace-error.ts';

function misuse(message: string): KeyspaceError {
  return new KeyspaceError('misuse', message);
}

function integer(name: string, what: string, value: number, least = Number.MIN_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < least) throw misuse(`${name}: ${what} cannot be ${value}`);
}

function some(name: string, what: string, count: number): void {
  if (count === 0) throw misuse(`${name}: no ${what} given`);
}

/** Commands that touch several keys do so in one partition: elsewhere a cluster could not carry them out. */
export function checkSamePartition(name: string, keys: readonly string[]): void {
  const [first] = keys;
  if (first === undefined) throw misuse(`${name}: no key given`);
  const tag = hashTag(first);
  for (const key of keys) {
    if (hashTag(key) !== tag) throw misuse(`${name}: ${first} and ${key} are in different partitions`);
  }
}

/** Throws `misuse` for arguments that no implementation takes, so that all of them refuse the same ones. */
export function checkCommand(command: Command): void {
  switch (command[0]) {
    case 'set':
      if (command[3]?.px !== undefined) integer('set', 'px', command[3].px, 1);
      break;
    case 'pexpire':
      integer('pexpire', 'the time', command[2], 1);
      break;
    case 'incrby':
      integer('incrby', 'the increment', command[2]);
      break;
    case 'hincrby':
      integer('hincrby', 'the increment', command[3]);
      break;
    case 'del':
      checkSamePartition('del', command.slice(1) as string[]);
      break;
    case 'rename':
      checkSamePartition('rename', [command[1], command[2]]);
      break;
    case 'hset':
      some('hset', 'field', command[2] instanceof Map ? command[2].size : (command[2] as readonly unknown[]).length);
      break;
    case 'hdel':
      some('hdel', 'field', command.length - 2);
      break;
    case 'rpush':
    case 'rpushx':
      some(command[0], 'value', command.length - 2);
      break;
    case 'sadd':
    case 'srem':
    case 'zrem':
      some(command[0], 'member', command.length - 2);
      break;
    case 'lset':
      integer('lset', 'the index', command[2]);
      break;
    case 'ltrim':
      integer('ltrim', 'the start', command[2], 0);
      break;
    case 'lrange':
      integer('lrange', 'the start', command[2]);
      integer('lrange', 'the stop', command[3]);
      break;
    case 'lpop':
    case 'spop':
      if (command[2] !== undefined) integer(command[0], 'the count', command[2], 1);
      break;
    case 'zadd':
      if (Number.isNaN(command[2])) throw misuse('zadd: the score is not a number');
      break;
    case 'zrangebyscore': {
      const { min, max, limit } = command[2];
      if (Number.isNaN(min) || Number.isNaN(max)) throw misuse('zrangebyscore: the range is not a range of numbers');
      if (limit !== undefined) integer('zrangebyscore', 'the limit', limit, 1);
      break;
    }
  }
}

/** The keys that a command touches. */
export function keysOf(command: Command): readonly string[] {
  if (command[0] === 'del') return command.slice(1) as string[];
  if (command[0] === 'rename') return [command[1], command[2]];
  return [command[1]];
}
