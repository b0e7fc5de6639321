import { pictureOf } from '@parley/server/auth/picture';
import type { ProfileField } from '@parley/server/auth/profile-fields';
import {
  type Found,
  type Profile,
  type ProfileChange,
  type ProfileSource,
  Profiles,
  type SearchTerms,
} from '@parley/server/auth/profiles';
import { defineModule } from '@parley/server/module';
import { Jid } from '@parley/xmpp/jid';

/** The smallest thing that begins like a picture. */
export const jpeg = (text = 'a picture'): Buffer =>
  Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(text)]);

export interface KnownSomewhere {
  values?: Partial<Record<ProfileField, string[]>>;
  photo?: Buffer;
  fields?: (ProfileField | 'photo')[];
  writable?: (ProfileField | 'photo')[];
}

/** A place where more is known of accounts, which is in memory. */
export class FakeProfiles implements ProfileSource {
  readonly name = 'fake';
  readonly domains = new Set(['localhost']);
  readonly known = new Map<string, Profile>();
  readonly changes: ProfileChange[] = [];
  readonly forgotten: string[] = [];
  readonly searches: [string, string][][] = [];
  found: Found = { people: [], more: false };
  /** What it throws, whatever it is asked. */
  trouble: Error | undefined;
  readonly searchable = true;
  mayAll = true;
  /** Whether anything is at hand without asking. */
  quick = false;

  /** Offers it to the modules that stand behind it. */
  readonly module = defineModule({
    name: 'fake-profiles',
    essential: true,
    setup: ({ provide }) => provide(Profiles, new Profiles([this])),
  });

  add(account: string, { values = {}, photo, fields, writable = [] }: KnownSomewhere): void {
    const map = new Map(Object.entries(values) as [ProfileField, string[]][]);
    this.known.set(account, {
      values: map,
      photo: photo && pictureOf(photo),
      fields: new Set(fields ?? [...map.keys(), 'photo']),
      writable: new Set(writable),
    });
  }

  async profile(account: Jid): Promise<Profile | undefined> {
    if (this.trouble !== undefined) throw this.trouble;
    this.quick = true;
    return this.known.get(account.bareText);
  }

  cached(account: Jid): Profile | undefined {
    return this.quick ? this.known.get(account.bareText) : undefined;
  }

  async change(_account: Jid, change: ProfileChange): Promise<void> {
    if (this.trouble !== undefined) throw this.trouble;
    this.changes.push(change);
  }

  forget(account: Jid): void {
    this.forgotten.push(account.bareText);
  }

  maySearch(): boolean {
    return this.mayAll;
  }

  async search(terms: SearchTerms): Promise<Found> {
    this.searches.push([...terms]);
    return this.found;
  }
}

export const person = (account: string, values: Record<string, string> = {}) => ({
  account: Jid.parse(account),
  values: new Map(Object.entries(values)) as Found['people'][number]['values'],
});
