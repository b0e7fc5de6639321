import { KeyspaceError, type KeyspaceFailure } from '@parley/keyspace/keyspace-error';
import { expect, it } from 'vitest';
import { Peers } from '../peers.ts';
import type { Member } from './member.ts';
import { Reaping, reapMember } from './reaping.ts';

const GONE = 'b'.repeat(16);

/** Each attempt fails so, until one is left that does not. */
async function reap(...failures: (KeyspaceFailure | 'fault')[]) {
  const log: string[] = [];
  const host = {
    keyspace: { state: 'up' as const },
    async reap(isGone: (owner: string, sid: string) => boolean) {
      expect(['a'.repeat(16), GONE].filter((owner) => isGone(owner, ''))).toEqual([GONE]);
      const failure = failures.shift();
      log.push(failure ?? 'done');
      if (failure === 'fault') throw new TypeError('a bug');
      if (failure !== undefined) throw new KeyspaceError(failure, 'it fails');
    },
    onFault: (error: unknown) => void log.push((error as Error).message),
  };
  const again = async (attempts: number) => void log.push(`again ${attempts}`);
  await reapMember(host as never, { id: GONE }, again);
  return log;
}

it('tells all others when it is done', async () => {
  const log: string[] = [];
  const told = Promise.withResolvers<void>();
  const peers = new Peers();
  peers.connect(async (subject, text) => void log.push(`${subject} ${text}`));
  const host = { keyspace: { state: 'up' as const }, peers, reap: async () => {}, onFault: expect.fail };
  const reaping = new Reaping(host as never, async ({ id }) => told.resolve(void log.push(`told ${id}`)));
  await reaping.of({ id: GONE } as Member);
  await told.promise;
  expect(log).toEqual([`reaped ${GONE}`, `told ${GONE}`]);
});

it('is done again, and is done, while another node is silent that is told', async () => {
  let times = 0;
  const peers = new Peers();
  peers.connect(() => new Promise(() => {}));
  const host = { keyspace: { state: 'up' as const }, peers, reap: async () => void times++, onFault: expect.fail };
  const reaping = new Reaping(host as never, async () => expect.fail());
  await reaping.of({ id: GONE } as Member);
  await reaping.of({ id: GONE } as Member);
  expect(times).toBe(2);
});

it('begins anew after a fault, since nobody else does it while this node lives', async () => {
  expect(await reap('fault', 'misuse')).toEqual([
    ...['fault', 'a bug', 'again 0'],
    ...['misuse', 'it fails', 'again 1'],
    'done',
  ]);
});

it('is done again once it is done, where it is asked for meanwhile', async () => {
  const log: string[] = [];
  const first = Promise.withResolvers<void>();
  const host = {
    keyspace: { state: 'up' as const },
    peers: new Peers(),
    reap: () => first.promise,
    onFault: expect.fail,
  };
  const reaping = new Reaping(host as never, async ({ id }) => void log.push(id));
  const gone = { id: GONE } as Member;
  const both = [reaping.of(gone), reaping.of(gone)];
  await new Promise(setImmediate);
  expect(log).toEqual([]);
  first.resolve();
  await Promise.all(both);
  await new Promise(setImmediate);
  expect(log).toEqual([GONE, GONE]);
});

it('leaves it to others where the node stops', async () => {
  await expect(reap('closed')).rejects.toMatchObject({ failure: 'closed' });
});
