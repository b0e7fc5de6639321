import { PresenceFilter } from 'ldapts';
import type { Directory } from '../directory.ts';
import { DirectoryRefused } from '../directory-error.ts';
import type { Entry } from '../entry.ts';
import type { PasswordPolicy } from '../person-state.ts';

/** Policies change seldom: what was read is good for so many milliseconds. */
const FRESH = 60_000;
const MOST = 1000;

/** The password policies that stand in entries of their own, read once for all who are under them. */
export class PasswordPolicies {
  readonly #directory: Pick<Directory, 'search' | 'settings'>;
  readonly #known = new Map<
    string,
    { readonly policy: Promise<PasswordPolicy | undefined>; readonly readAt: number }
  >();

  constructor(directory: Pick<Directory, 'search' | 'settings'>) {
    this.#directory = directory;
  }

  /** The policy of an entry; undefined where there is none, or it cannot be read. */
  of(entry: Entry): Promise<PasswordPolicy | undefined> | undefined {
    const { preset, people } = this.#directory.settings;
    if (preset.state.policyAttribute === undefined) return undefined;
    const dn = entry.text(preset.state.policyAttribute) ?? people.policy;
    if (dn === undefined) return undefined;
    const known = this.#known.get(dn.toLowerCase());
    if (known !== undefined && known.readAt + FRESH > performance.now()) return known.policy;
    const policy = this.#read(dn);
    if (this.#known.size >= MOST) this.#known.clear();
    this.#known.set(dn.toLowerCase(), { policy, readAt: performance.now() });
    policy.catch(() => this.#known.delete(dn.toLowerCase())); // and is asked for again
    return policy;
  }

  async #read(dn: string): Promise<PasswordPolicy | undefined> {
    const filter = new PresenceFilter({ attribute: 'objectClass' });
    const attributes = ['pwdMaxAge', 'pwdLockout', 'pwdLockoutDuration'];
    try {
      const [entry] = await this.#directory.search(dn, { scope: 'base', filter, attributes });
      const time = (name: string) => Number(entry?.text(name) ?? 0) * 1000 || undefined;
      return entry && { maxAge: time('pwdMaxAge'), lockoutDuration: time('pwdLockoutDuration') };
    } catch (error) {
      if (error instanceof DirectoryRefused) return undefined;
      throw error;
    }
  }
}
