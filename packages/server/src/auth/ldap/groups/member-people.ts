import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { idAttribute, idOf } from '../entry-id.ts';
import type { EntryChange } from '../following/copy.ts';
import { readIdRecord } from '../following/person-id-record.ts';
import { ID_SHARDS, personIdKeys } from '../following/sync-keys.ts';
import { NoPerson, personOf } from '../person.ts';
import { comparableDn } from './dn.ts';
import { type GroupSettings, memberAttributes } from './group-settings.ts';
import { primaryGroupOf } from './primary-group.ts';

/** Somebody as groups know them. */
export interface MemberPerson {
  readonly dn: string;
  readonly login: string | undefined;
  /** A bare JID. */
  readonly account: string;
  readonly name: string;
  /** The SID of the group that does not name them. */
  readonly primary?: string | undefined;
}

export interface MemberChanges {
  readonly dns: ReadonlySet<string>;
  readonly logins: ReadonlySet<string>;
  /** Of primary groups. */
  readonly sids: ReadonlySet<string>;
  /** Entries of people that have other names. */
  readonly renamed: readonly (readonly [before: string, now: string])[];
}

export interface MemberPeopleOptions {
  readonly directory: Directory;
  readonly settings: GroupSettings;
  readonly keyspace: Keyspace;
}

/** Names of groups in the entry's words and of people in ours: who is whose account, on the node that follows. */
export class MemberPeople {
  readonly #options: MemberPeopleOptions;
  #byId = new Map<string, MemberPerson>();
  #byDn = new Map<string, MemberPerson>();
  #byLogin = new Map<string, MemberPerson>();
  #byPrimary = new Map<string, Set<MemberPerson>>();
  /** Those of whom was told while everybody is being read: that is newer. */
  #told: Set<string> | undefined;

  constructor(options: MemberPeopleOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  byDn(dn: string): MemberPerson | undefined {
    return this.#byDn.get(dn);
  }

  byLogin(login: string): MemberPerson | undefined {
    return this.#byLogin.get(login);
  }

  /** Those who have this group without being named in it. */
  ofPrimaryGroup(sid: string): Iterable<MemberPerson> {
    return this.#byPrimary.get(sid) ?? [];
  }

  /** Begins anew, with all who are known: with their names, which are only in the directory. */
  async load(): Promise<void> {
    const { directory, keyspace } = this.#options;
    const told = new Set<string>();
    this.#told = told;
    this.#byId = new Map();
    this.#byDn = new Map();
    this.#byLogin = new Map();
    this.#byPrimary = new Map();
    for (let shard = 0; shard < ID_SHARDS; shard++) {
      for (const [id, text] of await keyspace.hgetall(personIdKeys.key(directory.name, String(shard)))) {
        const record = readIdRecord(text.toString());
        // without an address it was being written when that was cut short
        if (record === undefined || record.account === '' || told.has(id)) continue;
        this.#set(id, { dn: comparableDn(record.dn), account: record.account, login: undefined, name: '' });
      }
    }
    if (this.#byId.size > 0) await this.#loadNames(told);
    if (this.#told === told) this.#told = undefined;
  }

  async #loadNames(told: ReadonlySet<string>): Promise<void> {
    const { directory, settings } = this.#options;
    const { people } = directory.settings;
    const attributes = [people.id, ...memberAttributes(settings)];
    const { base, scope, filter } = people;
    for await (const entries of directory.searchPages(base, { scope, filter, attributes })) {
      for (const entry of entries) {
        const id = idOf(entry, idAttribute(directory.settings));
        const known = id === undefined || told.has(id) ? undefined : this.#byId.get(id);
        if (id !== undefined && known !== undefined) this.#set(id, { ...known, ...this.#named(entry) });
      }
    }
  }

  /** What the directory says of people; gives the names of entries, and login names, that mean somebody else now. */
  take(changes: readonly EntryChange[]): MemberChanges {
    const renamed: [before: string, now: string][] = [];
    const dns = new Set<string>();
    const logins = new Set<string>();
    const sids = new Set<string>();
    for (const { id, entry } of changes) {
      this.#told?.add(id);
      const before = this.#byId.get(id);
      const person = entry && personOf(entry, this.#options.directory.settings);
      const usable = person !== undefined && !(person instanceof NoPerson);
      const after = usable
        ? { dn: comparableDn(person.dn), account: person.account.bareText, ...this.#named(person.entry) }
        : undefined;
      if (isSame(before, after)) continue;
      this.#set(id, after);
      if (before && after && before.dn !== after.dn) renamed.push([before.dn, after.dn]);
      for (const each of [before, after]) {
        if (each !== undefined) dns.add(each.dn);
        if (each?.login !== undefined) logins.add(each.login);
        if (each?.primary !== undefined) sids.add(each.primary);
      }
    }
    return { dns, logins, sids, renamed };
  }

  #named(entry: Entry): Pick<MemberPerson, 'login' | 'name' | 'primary'> {
    const { personName, login, primary } = this.#options.settings;
    const name = personName.map((attribute) => entry.text(attribute)?.trim()).find((text) => text);
    return {
      login: entry.text(login)?.toLowerCase(),
      name: name?.slice(0, 256) ?? '',
      primary: primary && primaryGroupOf(entry, primary),
    };
  }

  #set(id: string, person: MemberPerson | undefined): void {
    const before = this.#byId.get(id);
    if (before !== undefined) {
      this.#byId.delete(id);
      if (this.#byDn.get(before.dn) === before) this.#byDn.delete(before.dn);
      if (before.login !== undefined && this.#byLogin.get(before.login) === before) this.#byLogin.delete(before.login);
      const others = before.primary === undefined ? undefined : this.#byPrimary.get(before.primary);
      if (others?.delete(before) && others.size === 0) this.#byPrimary.delete(before.primary ?? '');
    }
    if (person === undefined) return;
    this.#byId.set(id, person);
    this.#byDn.set(person.dn, person);
    if (person.login !== undefined) this.#byLogin.set(person.login, person);
    if (person.primary === undefined) return;
    const others = this.#byPrimary.get(person.primary);
    if (others === undefined) this.#byPrimary.set(person.primary, new Set([person]));
    else others.add(person);
  }
}

const isSame = (a: MemberPerson | undefined, b: MemberPerson | undefined): boolean =>
  a?.dn === b?.dn &&
  a?.account === b?.account &&
  a?.name === b?.name &&
  a?.login === b?.login &&
  a?.primary === b?.primary;
