import type { Entry } from './journal.ts';
import type { Push } from './shard.ts';

type EntryPush = Extract<Push, { kind: 'entry' }>;

const LIMIT = 200;

/** Pushes for sessions that this node does not know yet, or only under an older epoch. */
export class Stash {
  #pushes: EntryPush[] = [];

  put(push: EntryPush): void {
    if (this.#pushes.push(push) > LIMIT) this.#pushes.shift();
  }

  /** What came for a session under this epoch; what came under older ones is in the journal. */
  take(sid: string, epoch: number): Entry[] {
    const mine = this.#pushes.filter((push) => push.sid === sid && push.epoch === epoch);
    this.#pushes = this.#pushes.filter((push) => push.sid !== sid || push.epoch > epoch);
    return mine.map(({ entry }) => entry);
  }
}
