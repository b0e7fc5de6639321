import type { DirectoryConfiguration } from '../../../config/directory.ts';
import { PROFILE_FIELDS, type ProfileField } from '../../profile-fields.ts';
import { ProfileCache } from './profile-cache.ts';

type Vcard = DirectoryConfiguration['vcard'];

/** What follows for vCards from what the configuration says of them, and those that were made so. */
export class ProfilePlan {
  readonly vcard: Vcard;
  readonly cache: ProfileCache;
  readonly fields: ReadonlySet<ProfileField | 'photo'>;
  readonly writable: ReadonlySet<ProfileField | 'photo'>;
  readonly attributes: readonly string[];

  constructor(vcard: Vcard) {
    this.vcard = vcard;
    this.cache = new ProfileCache({ maxBytes: vcard.cacheBytes, maxAgeMs: vcard.cacheSeconds * 1000 });
    const all = [...PROFILE_FIELDS, 'photo'] as const;
    this.fields = new Set(all.filter((field) => vcard.fields[field].length > 0));
    this.writable = new Set(all.filter((field) => this.fields.has(field) && vcard.writable.includes(field)));
    this.attributes = all.flatMap((field) => vcard.fields[field]);
  }
}
