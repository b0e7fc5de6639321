import type { Jid } from '@parley/xmpp/jid';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { Attribute, Change } from 'ldapts';
import type { Log } from '../../../log.ts';
import type { Groups } from '../../groups.ts';
import { type Picture, pictureOf } from '../../picture.ts';
import { PROFILE_FIELDS, type ProfileField } from '../../profile-fields.ts';
import type { Found, Profile, ProfileChange, ProfileSource, SearchTerms } from '../../profiles.ts';
import type { Directory } from '../directory.ts';
import { DirectoryAway, DirectoryRefused } from '../directory-error.ts';
import type { Entry } from '../entry.ts';
import { findPeople } from './people-search.ts';
import { ProfilePlan } from './profile-plan.ts';

/** Accounts whose photo was found too large or no picture: said of each once. */
const MOST_TOLD = 10_000;
/** Fields that have all values of their attribute. */
const MANY = new Set<ProfileField>(['email', 'phone', 'mobile', 'fax', 'pager', 'homePhone', 'unit']);
/** Values of one attribute that a vCard shows at most, and bytes of one of them. */
const MOST_VALUES = 16;
const MOST_VALUE_BYTES = 4096;

/** Result codes (RFC 4511 §4.1.9) for which a person can do nothing. */
const NOT_PERMITTED = new Set([8, 13, 50]);

export interface DirectoryProfilesOptions {
  readonly directory: Directory;
  /** Who is in which. */
  readonly groups: Pick<Groups, 'isMemberOfAny'>;
  readonly log: Log;
}

/** vCards out of the entries of a directory. */
export class DirectoryProfiles implements ProfileSource {
  readonly #options: DirectoryProfilesOptions;
  readonly #directory: Directory;
  readonly #asking = new Map<string, Promise<Profile | undefined>>();
  readonly #told = new Set<string>();
  #lastPlan: ProfilePlan;

  constructor(options: DirectoryProfilesOptions) {
    this.#options = options;
    this.#directory = options.directory;
    this.#lastPlan = new ProfilePlan(this.#directory.settings.vcard);
  }

  /** A reload may have changed what the configuration says: what was made by the former is worth nothing then. */
  get #plan(): ProfilePlan {
    const { vcard } = this.#directory.settings;
    if (this.#lastPlan.vcard !== vcard) {
      this.#lastPlan = new ProfilePlan(vcard);
      this.#asking.clear();
    }
    return this.#lastPlan;
  }

  get name(): string {
    return this.#directory.name;
  }

  get domains(): ReadonlySet<string> {
    return this.#directory.settings.domains;
  }

  cached(account: Jid): Profile | undefined {
    return this.#plan.cache.get(account.bareText).profile;
  }

  async profile(account: Jid): Promise<Profile | undefined> {
    if (!this.#directory.settings.vcard.enabled) return undefined;
    const key = account.bareText;
    const cached = this.#plan.cache.get(key);
    if (cached.known) return cached.profile;
    return this.#asking.get(key) ?? this.#ask(account);
  }

  #ask(account: Jid): Promise<Profile | undefined> {
    const key = account.bareText;
    const asking: Promise<Profile | undefined> = this.#entry(account)
      .then((entry) => {
        const profile = entry && this.#profileOf(entry, account);
        // a change in between has forgotten it
        if (this.#asking.get(key) === asking) this.#plan.cache.set(key, profile);
        return profile;
      })
      .finally(() => {
        if (this.#asking.get(key) === asking) this.#asking.delete(key);
      });
    this.#asking.set(key, asking);
    return asking;
  }

  /** The entry that is the account, with everything that a vCard may show. */
  async #entry(account: Jid): Promise<Entry | undefined> {
    return (await inWords(this.#directory.findPerson(account, undefined, this.#plan.attributes)))?.entry;
  }

  #profileOf(entry: Entry, account: Jid): Profile {
    const { fields, readers } = this.#directory.settings.vcard;
    const values = new Map<ProfileField, readonly string[]>();
    for (const field of PROFILE_FIELDS) {
      const texts = valuesOf(entry, fields[field]);
      if (texts.length > 0) values.set(field, MANY.has(field) ? texts.slice(0, MOST_VALUES) : texts.slice(0, 1));
    }
    const photo = this.#photoOf(entry, account);
    const { fields: known, writable } = this.#plan;
    return { values, photo, fields: known, writable, isInternal: readers === 'server' };
  }

  #photoOf(entry: Entry, account: Jid): Picture | undefined {
    const { fields, maxPhotoBytes } = this.#directory.settings.vcard;
    for (const name of fields.photo) {
      const bytes = entry.attributes.get(name.toLowerCase())?.[0];
      if (bytes === undefined || bytes.length === 0) continue;
      if (bytes.length > maxPhotoBytes) {
        this.#tellOnce(account, `The photo has ${bytes.length} bytes, more than vcard.maxPhotoBytes.`);
        continue;
      }
      const picture = pictureOf(Buffer.from(bytes)); // a copy: what it is a part of is large
      if (picture !== undefined) return picture;
      this.#tellOnce(account, 'The photo is no JPEG, PNG, GIF or WebP.');
    }
    return undefined;
  }

  #tellOnce(account: Jid, message: string): void {
    if (this.#told.has(account.bareText) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(account.bareText);
    this.#options.log.warn('directory.photo-left-out', {
      directory: this.name,
      account: account.bareText,
      message: `${message} It is left out.`,
    });
  }

  async change(account: Jid, { values, photo }: ProfileChange): Promise<void> {
    const entry = await this.#entry(account);
    if (entry === undefined) throw new StanzaError('item-not-found');
    const { fields } = this.#directory.settings.vcard;
    if (photo) this.#checkPhoto(photo);
    const changes: Change[] = [];
    const replace = (field: ProfileField | 'photo', texts: readonly (string | Buffer)[]) => {
      const [type] = fields[field];
      if (type === undefined || !this.#plan.writable.has(field)) return;
      // an attribute that counts only where the first is missing must not come to light again
      for (const other of texts.length === 0
        ? fields[field].filter((name) => entry.attributes.has(name.toLowerCase()))
        : [type]) {
        changes.push(new Change({ operation: 'replace', modification: attributeOf(other, texts) }));
      }
    };
    for (const [field, texts] of values) replace(field, texts);
    if (photo !== undefined) replace('photo', photo === null ? [] : [photo]);
    try {
      if (changes.length > 0) await inWords(this.#directory.modify(entry.dn, changes));
    } finally {
      this.forget(account);
    }
  }

  /** Nothing is put into the directory that would be left out of vCards. */
  #checkPhoto(photo: Buffer): void {
    const { maxPhotoBytes } = this.#directory.settings.vcard;
    if (photo.length > maxPhotoBytes)
      throw new StanzaError('policy-violation', { text: `A photo may have up to ${maxPhotoBytes} bytes.` });
    if (pictureOf(photo) === undefined)
      throw new StanzaError('not-acceptable', { text: 'A photo has to be a JPEG, PNG, GIF or WebP.' });
  }

  forget(account: Jid): void {
    this.#plan.cache.delete(account.bareText);
    this.#asking.delete(account.bareText);
  }

  get searchable(): boolean {
    return this.#directory.settings.search.allow !== 'nobody';
  }

  maySearch(account: Jid): boolean {
    const { allow } = this.#directory.settings.search;
    if (typeof allow !== 'string') return this.#options.groups.isMemberOfAny(account, allow);
    return allow === 'server' || (allow === 'domain' && this.domains.has(account.domain));
  }

  search(terms: SearchTerms): Promise<Found> {
    return inWords(findPeople(this.#directory, terms));
  }
}

/** The values of the first of these attributes that has any. */
function valuesOf(entry: Entry, attributes: readonly string[]): string[] {
  for (const name of attributes) {
    const texts = entry.texts(name).filter((text) => text.trim() !== '' && Buffer.byteLength(text) <= MOST_VALUE_BYTES);
    if (texts.length > 0) return texts.map((text) => text.trim());
  }
  return [];
}

function attributeOf(type: string, values: readonly (string | Buffer)[]): Attribute {
  return new Attribute({ type, values: [...values] as string[] }); // bytes are written as they are
}

/** Troubles with a directory as whoever has asked is told of them. */
async function inWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DirectoryAway) {
      throw new StanzaError('resource-constraint', {
        type: 'wait',
        text: 'The directory does not answer just now.',
        cause: error,
      });
    }
    if (!(error instanceof DirectoryRefused)) throw error;
    const condition = NOT_PERMITTED.has(error.code) ? 'not-allowed' : 'not-acceptable';
    throw new StanzaError(condition, { text: `The directory refuses: ${error.message}`, cause: error });
  }
}
