import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';

/**
 * What becomes of a write: `refused` and `closed` were not done, and the caller knows; of the others it does not: `lost`
 * was not done, `unanswered` was, and `late` will be, when `arrive` is called.
 */
export type Fate = 'done' | 'refused' | 'closed' | 'lost' | 'unanswered' | 'late';

const WRITES = new Set(['batch', 'call', 'rpushx', 'lset', 'set', 'hset', 'del']);

/** A keyspace whose writes fail when a test wants it. */
export class UnreliableKeyspace {
  readonly keyspace: Keyspace;
  /** Asked for each write. */
  fate: () => Fate = () => 'done';
  readonly #late: (() => Promise<unknown>)[] = [];
  #dead = false;

  constructor(keyspace: Keyspace) {
    this.keyspace = new Proxy(keyspace, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name === 'forAccount') return () => this.keyspace;
        const work = (...args: unknown[]) => Reflect.apply(member, target, args) as Promise<unknown>;
        return WRITES.has(String(name)) ? (...args: unknown[]) => this.#write(() => work(...args)) : work;
      },
    });
  }

  async #write(work: () => Promise<unknown>): Promise<unknown> {
    if (this.#dead) return new Promise(() => {});
    switch (this.fate()) {
      case 'done':
        return work();
      case 'refused':
        throw new KeyspaceError('away', 'It is not there.');
      case 'closed':
        throw new KeyspaceError('closed', 'It is closed.');
      case 'unanswered':
        await work();
        break;
      case 'late':
        this.#late.push(work);
        break;
      case 'lost':
    }
    throw new KeyspaceError('slow', 'It did not answer.', { outcome: 'unknown' });
  }

  /** Whoever writes through it is dead: nothing more is written but what is late. */
  die(): void {
    this.#dead = true;
  }

  /** What was late is done now. */
  async arrive(): Promise<void> {
    for (const work of this.#late.splice(0)) await work().catch(() => {});
  }
}
