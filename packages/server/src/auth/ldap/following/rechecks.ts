import { AndFilter, OrFilter } from 'ldapts';
import type { Directory } from '../directory.ts';
import { filterOf } from '../entry-id.ts';
import type { Copy, EntryChange } from './copy.ts';
import type { Followed } from './followed.ts';

const MOST_AT_ONCE = 50;

/** Looks at single entries again, beside what tells of all of them. */
export class Rechecks {
  readonly #directory: Directory;
  readonly #followed: Followed;
  readonly #copy: Copy;
  /** Those that are being looked at, and were not told of meanwhile. */
  readonly #looking = new Set<string>();
  #onChecked: ((id: string) => void) | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(directory: Directory, followed: Followed, copy: Copy) {
    this.#directory = directory;
    this.#followed = followed;
    this.#copy = copy;
  }

  /** Whoever tells of all of them hears here of those that were looked at: that is newer than what is on its way. */
  onChecked(listener: (id: string) => void): void {
    this.#onChecked = listener;
  }

  /** These were told of: what is being looked at may be older. */
  told(changes: readonly EntryChange[]): void {
    for (const { id } of changes) this.#looking.delete(id);
  }

  /** Resolves when what the directory says about them now is taken over. */
  check(ids: Iterable<string>): Promise<void> {
    const all = [...new Set(ids)];
    const done = this.#queue.then(async () => {
      for (let at = 0; at < all.length; at += MOST_AT_ONCE) await this.#look(all.slice(at, at + MOST_AT_ONCE));
    });
    this.#queue = done.catch(() => {});
    return done;
  }

  async #look(ids: readonly string[]): Promise<void> {
    const { base, scope, filter, attributes, id: attribute } = this.#followed;
    for (const id of ids) this.#looking.add(id);
    try {
      const any = new OrFilter({ filters: ids.map((id) => filterOf(id, attribute)) });
      const both = new AndFilter({ filters: [filter, any] });
      const entries = await this.#directory.search(base, { scope, filter: both, attributes });
      const found = new Map(entries.map((entry) => [this.#copy.idOf(entry), entry]));
      const changes = ids
        .filter((id) => this.#looking.has(id))
        .map((id): EntryChange => {
          const entry = found.get(id);
          return entry === undefined ? { id } : { id, entry, isNews: true };
        });
      for (const { id } of changes) this.#onChecked?.(id);
      await this.#copy.apply(changes);
    } finally {
      for (const id of ids) this.#looking.delete(id);
    }
  }
}
