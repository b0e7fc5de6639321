import type { GroupEntry } from './group-entry.ts';
import type { MemberPeople } from './member-people.ts';

/** All groups of a directory as their entries have them, and who is in them, groups in groups followed. */
export class GroupGraph {
  readonly #groups = new Map<string, GroupEntry>();
  readonly #byDn = new Map<string, GroupEntry>();
  /** The groups that name an entry, or a login, as a member. */
  readonly #namingDn = new Map<string, Set<GroupEntry>>();
  readonly #namingLogin = new Map<string, Set<GroupEntry>>();
  readonly #bySid = new Map<string, GroupEntry>();

  get size(): number {
    return this.#groups.size;
  }

  get(id: string): GroupEntry | undefined {
    return this.#groups.get(id);
  }

  get ids(): IterableIterator<string> {
    return this.#groups.keys();
  }

  /** A group is so now, or is gone; gives those in which somebody else may be because of that. */
  set(id: string, next: GroupEntry | undefined): Set<string> {
    const before = this.#groups.get(id);
    const concerned = new Set([id]);
    if (before !== undefined) {
      this.#around(before.dn, concerned);
      this.#take(before);
    }
    if (next !== undefined) {
      this.#put(next);
      this.#around(next.dn, concerned);
    }
    return concerned;
  }

  /** The groups in which somebody else is when these names mean somebody else. */
  concernedBy(dns: Iterable<string>, logins: Iterable<string>, sids: Iterable<string> = []): Set<string> {
    const concerned = new Set<string>();
    for (const dn of dns) this.#around(dn, concerned);
    for (const login of logins) {
      for (const group of this.#namingLogin.get(login) ?? []) this.#add(group, concerned);
    }
    for (const sid of sids) {
      const group = this.#bySid.get(sid);
      if (group !== undefined) this.#add(group, concerned);
    }
    return concerned;
  }

  #around(dn: string, concerned: Set<string>): void {
    for (const group of this.#namingDn.get(dn) ?? []) this.#add(group, concerned);
  }

  /** A group, and all in which it is; each once, in however many circles they are. */
  #add(group: GroupEntry, concerned: Set<string>): void {
    if (concerned.has(group.id)) return;
    concerned.add(group.id);
    this.#around(group.dn, concerned);
  }

  /**
   * Who is in a group: accounts with names. Undefined where there are more than `mostMembers`. `nameNow`: what an entry is
   * called that had this name a moment ago.
   */
  membersOf(
    { id }: GroupEntry,
    people: Pick<MemberPeople, 'byDn' | 'byLogin' | 'ofPrimaryGroup'>,
    nameNow: (former: string) => string | undefined,
    { nestedDepth, mostMembers }: { readonly nestedDepth: number; readonly mostMembers: number },
  ): Map<string, string> | undefined {
    const members = new Map<string, string>();
    const seen = new Set([id]);
    let level = [id];
    // level by level, so that each group is found where it is least deep
    for (let depth = 0; level.length > 0 && depth <= nestedDepth; depth++) {
      const next: string[] = [];
      for (const each of level) {
        const group = this.#groups.get(each);
        for (const dn of group?.members ?? []) {
          const now = nameNow(dn) ?? dn;
          const person = people.byDn(dn) ?? people.byDn(now);
          if (person !== undefined) members.set(person.account, person.name);
          const inner = this.#byDn.get(dn) ?? this.#byDn.get(now);
          if (inner === undefined || seen.has(inner.id)) continue;
          seen.add(inner.id);
          next.push(inner.id);
        }
        for (const login of group?.logins ?? []) {
          const person = people.byLogin(login);
          if (person !== undefined) members.set(person.account, person.name);
        }
        for (const person of group?.sid === undefined ? [] : people.ofPrimaryGroup(group.sid)) {
          members.set(person.account, person.name);
        }
        if (members.size > mostMembers) return undefined;
      }
      level = next;
    }
    return members;
  }

  #put(group: GroupEntry): void {
    this.#groups.set(group.id, group);
    this.#byDn.set(group.dn, group);
    for (const dn of group.members) addTo(this.#namingDn, dn, group);
    for (const login of group.logins) addTo(this.#namingLogin, login, group);
    if (group.sid !== undefined) this.#bySid.set(group.sid, group);
  }

  #take(group: GroupEntry): void {
    this.#groups.delete(group.id);
    if (this.#byDn.get(group.dn) === group) this.#byDn.delete(group.dn);
    for (const dn of group.members) removeFrom(this.#namingDn, dn, group);
    for (const login of group.logins) removeFrom(this.#namingLogin, login, group);
    if (group.sid !== undefined && this.#bySid.get(group.sid) === group) this.#bySid.delete(group.sid);
  }
}

function addTo(index: Map<string, Set<GroupEntry>>, key: string, group: GroupEntry): void {
  const groups = index.get(key);
  if (groups === undefined) index.set(key, new Set([group]));
  else groups.add(group);
}

function removeFrom(index: Map<string, Set<GroupEntry>>, key: string, group: GroupEntry): void {
  const groups = index.get(key);
  groups?.delete(group);
  if (groups?.size === 0) index.delete(key);
}
