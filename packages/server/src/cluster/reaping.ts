import { setTimeout as pause } from 'node:timers/promises';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { nextAttempt, untilDone } from '../session/attempts.ts';
import type { ClusterHost } from './cluster-host.ts';
import type { Member } from './member.ts';

const AGAIN_MS = 1000;
const AGAIN_MOST_MS = 60_000;

/** The pause before what a member had is taken over once more, after so many attempts that ended with a fault. */
const reapAgain = (attempts: number): Promise<void> =>
  pause(Math.min(AGAIN_MS * 2 ** attempts, AGAIN_MOST_MS), undefined, { ref: false });

/**
 * Takes over what a member had that is gone, and tells all others. Nobody else does it as long as this node lives, so it
 * tries until it is done, whatever goes wrong. Several at a time: one may wait for what another takes over.
 */
export async function reapMember(
  { keyspace, reap, peers, onFault }: Pick<ClusterHost, 'keyspace' | 'reap' | 'peers' | 'onFault'>,
  { id }: Pick<Member, 'id'>,
  again: (attempts: number) => Promise<void> = reapAgain,
): Promise<void> {
  const attempt = () =>
    untilDone(
      () => reap((owner) => owner === id),
      () => nextAttempt(keyspace),
    );
  for (let attempts = 0, done = false; !done; attempts++) {
    try {
      await attempt();
      done = true;
    } catch (error) {
      if (error instanceof KeyspaceError && error.failure === 'closed') throw error;
      onFault(error);
      await again(attempts);
    }
  }
  await peers.tell('reaped', id);
}
