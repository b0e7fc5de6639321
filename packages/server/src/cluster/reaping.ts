import { nextAttempt, untilDone } from '../session/attempts.ts';
import type { ClusterHost } from './cluster-host.ts';
import type { Member } from './member.ts';

/**
 * Takes over what a member had that is gone, and tells all others. Nobody else does it as long as this node lives. Several
 * at a time: one may wait for what another takes over.
 */
export async function reapMember(
  { keyspace, reap, peers }: Pick<ClusterHost, 'keyspace' | 'reap' | 'peers'>,
  { id }: Pick<Member, 'id'>,
): Promise<void> {
  await untilDone(
    () => reap((owner) => owner === id),
    () => nextAttempt(keyspace),
  );
  await peers.tell('reaped', id);
}
