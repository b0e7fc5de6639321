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

/** Takes over what gone members had, of each as often as it is asked for, one time after the other. */
export class Reaping {
  readonly #host: Pick<ClusterHost, 'keyspace' | 'reap' | 'peers' | 'onFault'>;
  readonly #onReaped: (member: Member) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();

  constructor(
    host: Pick<ClusterHost, 'keyspace' | 'reap' | 'peers' | 'onFault'>,
    onReaped: (member: Member) => Promise<void>,
  ) {
    this.#host = host;
    this.#onReaped = onReaped;
  }

  /** Resolves when this node has it. All others are told then, which may take as long as one of them is silent. */
  of(member: Member): Promise<void> {
    const before = this.#running.get(member.id);
    const running = (before?.catch(() => {}) ?? Promise.resolve()).then(() => reapMember(this.#host, member));
    this.#running.set(member.id, running);
    const forget = () => {
      if (this.#running.get(member.id) === running) this.#running.delete(member.id);
    };
    running.then(forget, forget);
    void running.then(
      () => this.#tell(member).catch(this.#host.onFault),
      () => {},
    );
    return running;
  }

  async #tell(member: Member): Promise<void> {
    await this.#host.peers.tell('reaped', member.id);
    await this.#onReaped(member);
  }
}

/**
 * Takes over what a member had that is gone. Nobody else does it as long as this node lives, so it tries until it is done,
 * whatever goes wrong. Several at a time: one may wait for what another takes over.
 */
export async function reapMember(
  { keyspace, reap, onFault }: Pick<ClusterHost, 'keyspace' | 'reap' | 'onFault'>,
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
}
