import { AndFilter, GreaterThanEqualsFilter } from 'ldapts';
import type { Entry } from '../entry.ts';
import { Comparison } from './comparison.ts';
import type { EntryChange } from './copy.ts';
import type { Follow } from './follow.ts';

/** A comparison of everything takes no more of the time than one part in so many. */
const SHARE = 10;
/** Clocks of the servers of one directory may be so far apart. */
const OVERLAP_MS = 60_000;

/** Asks a directory for everything, or for what has changed. */
export class Poll {
  readonly #follow: Follow;
  readonly #stamp: string;
  /** Looked at since a comparison has begun: what it says of them may be older. */
  readonly #fresh = new Set<string>();
  /** When each entry was changed last, as far as that was told, and whether it was told again. */
  readonly #stamps = new Map<string, { readonly stamp: string; readonly twice: boolean }>();
  #newest = 0;
  /** The newest of what was told when everything was looked at before. */
  #newestBefore = 0;
  #tookMs = 0;
  #comparedAt = Number.NEGATIVE_INFINITY;

  constructor(follow: Follow) {
    this.#follow = follow;
    this.#stamp = follow.directory.settings.type === 'activeDirectory' ? 'whenChanged' : 'modifyTimestamp';
    follow.rechecks.onChecked((id) => this.#fresh.add(id));
  }

  /** In how many milliseconds the next comparison is due: a large directory is not to be busy with nothing else. */
  dueIn(everyMs: number): number {
    return Math.max(0, this.#comparedAt + Math.max(everyMs, this.#tookMs * SHARE) - performance.now());
  }

  /** Compares everything. False where those who are missing are not taken for removed yet. */
  async compare(): Promise<boolean> {
    const { followed, copy, state, log, directory } = this.#follow;
    const begun = performance.now();
    this.#newestBefore = this.#newest;
    const comparison = new Comparison(copy);
    this.#fresh.clear();
    for await (const page of directory.searchPages(followed.base, this.#search())) {
      await this.#apply(page, true, (id) => comparison.see(id));
    }
    this.#follow.signal.throwIfAborted();
    // not one page was refused or cut off: whoever is missing is not there
    const missing = comparison.missing.filter((id) => !this.#fresh.has(id));
    const settings = directory.settings.synchronisation;
    const believed = await comparison.remove(missing, { state, settings, log, now: Date.now() });
    this.#follow.onHeld(believed ? 0 : missing.length);
    this.#comparedAt = performance.now();
    this.#tookMs = this.#comparedAt - begun;
    await this.#follow.onComplete();
    return believed;
  }

  /** Only what has changed; who is gone is not seen by it. */
  async changes(): Promise<void> {
    const { followed, directory } = this.#follow;
    this.#fresh.clear();
    this.#newestBefore = this.#newest;
    const since = new Date(this.#newest - OVERLAP_MS).toISOString().replace(/[-:T]|\.\d+Z$/g, '');
    const value = directory.settings.type === 'activeDirectory' ? `${since}.0Z` : `${since}Z`;
    const newer = new GreaterThanEqualsFilter({ attribute: this.#stamp, value });
    const search = { ...this.#search(), filter: new AndFilter({ filters: [followed.filter, newer] }) };
    for await (const page of directory.searchPages(followed.base, search)) await this.#apply(page, false, () => {});
    await this.#follow.onComplete();
  }

  /** A stamp is of a second, in which an entry may have changed once more after it was read. */
  #isNews(id: string, stamp: string): boolean {
    const before = this.#stamps.get(id);
    const same = before?.stamp === stamp;
    this.#stamps.set(id, { stamp, twice: same });
    if (before === undefined) return false;
    return !same || (!before.twice && timeOf(stamp) >= this.#newestBefore);
  }

  #search() {
    const { scope, filter, attributes } = this.#follow.followed;
    return { scope, filter, attributes: [...attributes, this.#stamp] };
  }

  /** `whole`: everything is read. */
  async #apply(page: readonly Entry[], whole: boolean, see: (id: string) => void): Promise<void> {
    const { copy, rechecks, signal } = this.#follow;
    signal.throwIfAborted();
    const changes: EntryChange[] = [];
    for (const entry of page) {
      const id = copy.idOf(entry);
      if (id === undefined || (whole && copy.isLost?.(id, entry))) continue;
      see(id);
      const stamp = entry.text(this.#stamp) ?? '';
      const isNews = this.#isNews(id, stamp);
      this.#newest = Math.max(this.#newest, timeOf(stamp));
      if (!this.#fresh.has(id)) changes.push({ id, entry, isNews });
    }
    rechecks.told(changes);
    await copy.apply(changes);
  }
}

/** Generalized time (RFC 4517 §3.3.13), as directories write their own: 20261126120000Z, 20261126120000.0Z. */
function timeOf(text = ''): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(text) ?? [];
  return year === undefined ? 0 : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) || 0;
}
