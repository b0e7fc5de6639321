import type { Command, ReplyTo, ScoredMember } from '../command.ts';

/** A command as Redis takes it. Upper-case names keep the client from rewriting replies. */
export interface WireCommand {
  name: string;
  args: (string | Buffer)[];
}

/** The names of commands, as they are sent. */
const names = new Map<string, string>();

function nameOf(command: string): string {
  const known = names.get(command);
  if (known !== undefined) return known;
  const name = command.toUpperCase();
  names.set(command, name);
  return name;
}

export function encodeCommand(command: Command): WireCommand {
  const name = nameOf(command[0]);
  switch (command[0]) {
    case 'set': {
      const [, key, value, { px, nx } = {}] = command;
      const expiry = px === undefined ? [] : ['PX', String(px)];
      return { name, args: [key, value, ...expiry, ...(nx ? ['NX'] : [])] };
    }
    case 'hset': {
      const args: (string | Buffer)[] = [command[1]];
      for (const [field, value] of command[2]) args.push(field, value);
      return { name, args };
    }
    case 'lpop':
    case 'spop':
      return { name, args: [command[1], String(command[2] ?? 1)] };
    case 'zrangebyscore': {
      const { min, max, limit } = command[2];
      const limited = limit === undefined ? [] : ['LIMIT', '0', String(limit)];
      return { name, args: [command[1], scoreText(min), scoreText(max), 'WITHSCORES', ...limited] };
    }
    case 'zadd':
      return { name, args: [command[1], scoreText(command[2]), command[3]] };
    default: {
      const args: (string | Buffer)[] = [];
      for (let index = 1; index < command.length; index++) {
        const arg = command[index];
        args.push(typeof arg === 'string' || Buffer.isBuffer(arg) ? arg : String(arg));
      }
      return { name, args };
    }
  }
}

function scoreText(score: number): string {
  if (Object.is(score, -0)) return '-0';
  return Number.isFinite(score) ? String(score) : score > 0 ? '+inf' : '-inf';
}

function readScore(text: Buffer): number {
  const score = String(text);
  if (score === 'inf') return Number.POSITIVE_INFINITY;
  return score === '-inf' ? Number.NEGATIVE_INFINITY : Number(score);
}

const absent = /^ERR (?:no such key|index out of range)/;

/** True for an error that is an answer: what `lset` and `rename` say where there is nothing to change. */
export function isAnswer(command: Command, error: Error): boolean {
  return (command[0] === 'lset' || command[0] === 'rename') && absent.test(error.message);
}

/** What Redis replied, as the interface tells it. An error that is an answer comes in as itself. */
export function decodeReply<C extends Command>(command: C, reply: unknown): ReplyTo<C> {
  return decode(command, reply) as ReplyTo<C>;
}

function decode(command: Command, reply: unknown): unknown {
  switch (command[0]) {
    case 'get':
    case 'hget':
      return reply ?? undefined;
    case 'set':
      return reply !== null;
    case 'pexpire':
    case 'zadd':
      return reply === 1;
    case 'lset':
    case 'rename':
      return !(reply instanceof Error);
    case 'hgetall': {
      const flat = reply as Buffer[];
      const all = new Map<string, Buffer>();
      for (let index = 0; index + 1 < flat.length; index += 2) all.set(String(flat[index]), flat[index + 1] as Buffer);
      return all;
    }
    case 'ltrim':
      return undefined;
    case 'lpop':
      return reply ?? [];
    case 'zrangebyscore':
      return readScored(reply as (Buffer | [Buffer, Buffer])[]);
    default:
      return reply;
  }
}

/** Pairs in RESP3, a flat list in RESP2. */
function readScored(reply: (Buffer | [Buffer, Buffer])[]): ScoredMember[] {
  const flat = reply.flat() as Buffer[];
  const members: ScoredMember[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    members.push({ member: flat[index] as Buffer, score: readScore(flat[index + 1] as Buffer) });
  }
  return members;
}
