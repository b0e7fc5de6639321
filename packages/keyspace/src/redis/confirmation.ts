import { ReplyError } from 'ioredis';
import { KeyspaceError } from '../keyspace-error.ts';
import { toKeyspaceError } from './reply-error.ts';
import { type Request, repliesTo } from './request.ts';
import type { WireCommand } from './wire.ts';

const READS = new Set('GET HGET HGETALL HLEN LRANGE LLEN SMEMBERS ZRANGEBYSCORE PING TIME PUBLISH SPUBLISH'.split(' '));

export const writes = ({ commands }: Request): boolean => commands.some(({ name }) => !READS.has(name));

/** Redis itself says so. */
const isRefusal = (reply: unknown): reply is Error => reply instanceof ReplyError;

/** Behind what was written: it is answered when so many replicas have that, or in so many milliseconds. */
export const confirmation = (replicas: number, milliseconds: number): WireCommand => ({
  name: 'WAIT',
  args: [String(replicas), String(Math.ceil(milliseconds))],
});

/**
 * Why what was written counts as unknown, since nobody knows that so many replicas have it; undefined where that is sure,
 * or Redis has taken none of it. `all` are the replies to all requests, and then the one to the confirmation.
 */
export function doubtOf(
  requests: readonly Request[],
  all: readonly unknown[],
  replicas: number,
): KeyspaceError | undefined {
  const answer = all.at(-1);
  if (typeof answer === 'number') return answer < replicas ? unconfirmed('slow', replicas) : undefined;
  if (!isRefusal(answer)) {
    const lost = answer instanceof Error ? answer : new Error('Redis gave no answer to WAIT');
    return toKeyspaceError('WAIT', lost, false, 'unknown');
  }
  // It has just become a replica, say, and what it took before is nowhere else; or it may not be asked.
  if (allRefused(requests, all)) return undefined;
  const { failure } = toKeyspaceError('WAIT', answer, false, 'unknown');
  return unconfirmed(failure === 'misuse' ? 'slow' : failure, replicas, answer);
}

const unconfirmed = (failure: KeyspaceError['failure'], replicas: number, cause?: Error): KeyspaceError => {
  const message = `Fewer than ${replicas} replicas of Redis have what was written.`;
  if (cause === undefined) return new KeyspaceError(failure, message, { outcome: 'unknown' });
  return new KeyspaceError(failure, `${message} (${cause.message})`, { outcome: 'unknown', cause });
};

function allRefused(requests: readonly Request[], all: readonly unknown[]): boolean {
  let start = 0;
  return requests.every((request) => {
    const { replies, end } = repliesTo(request, all, start);
    start = end;
    return !writes(request) || replies.every(isRefusal);
  });
}
