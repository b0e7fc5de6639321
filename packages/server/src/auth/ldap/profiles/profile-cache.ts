import type { Profile } from '../../profiles.ts';

interface Entry {
  readonly profile: Profile | undefined;
  readonly until: number;
  readonly bytes: number;
}

export interface ProfileCacheOptions {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** What an entry costs beside what it holds. */
const OWN_BYTES = 500;

/** What a directory said of people a while ago: no more of it, and no longer, than it may be. */
export class ProfileCache {
  readonly #options: ProfileCacheOptions;
  readonly #now: () => number;
  /** Those asked for longest ago first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(options: ProfileCacheOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `known: false` where it is not at hand; otherwise the profile, or undefined for an account that has none. */
  get(account: string): { known: boolean; profile?: Profile | undefined } {
    const entry = this.#entries.get(account);
    if (entry === undefined) return { known: false };
    if (entry.until <= this.#now()) {
      this.delete(account);
      return { known: false };
    }
    this.#entries.delete(account);
    this.#entries.set(account, entry);
    return { known: true, profile: entry.profile };
  }

  set(account: string, profile: Profile | undefined): void {
    this.delete(account);
    const bytes = bytesOf(account, profile);
    if (bytes > this.#options.maxBytes) return;
    this.#entries.set(account, { profile, until: this.#now() + this.#options.maxAgeMs, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#options.maxBytes) break;
      this.delete(oldest);
    }
  }

  delete(account: string): void {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    this.#entries.delete(account);
    this.#bytes -= entry.bytes;
  }
}

function bytesOf(account: string, profile: Profile | undefined): number {
  let bytes = OWN_BYTES + 2 * account.length + (profile?.photo?.bytes.length ?? 0);
  for (const values of profile?.values.values() ?? []) for (const value of values) bytes += 50 + 2 * value.length;
  return bytes;
}
