import { Jid } from '@parley/xmpp/jid';
import type { Group, GroupChange, GroupDelta, GroupHead, GroupPerson, ShownTo, ViewChange } from './group.ts';

class KnownGroup implements Group {
  readonly id: string;
  name = '';
  label = '';
  source = '';
  shownTo: ShownTo = 'nobody';
  revision = 0;
  settled = 0;
  readonly members = new Map<string, KnownPerson>();

  constructor(id: string) {
    this.id = id;
  }

  become(head: GroupHead): void {
    this.name = head.name;
    this.label = head.label;
    this.source = head.source;
    this.shownTo = head.shownTo;
  }
}

class KnownPerson implements GroupPerson {
  readonly jid: Jid;
  name: string | undefined;
  readonly groups = new Set<KnownGroup>();

  constructor(jid: Jid) {
    this.jid = jid;
  }
}

const NO_GROUPS: ReadonlySet<Group> = new Set();

/** Names of groups are those of a directory, which does not tell capital letters from small ones. */
const keyOf = (name: string) => name.toLowerCase();

/**
 * Names of a group: alone, and with where it comes from in front. One that has a slash stands for itself with that alone:
 * nobody makes a group `other/admins` in a directory that is not called so.
 */
const namesOf = ({ name, source }: GroupHead) => {
  const whole = keyOf(`${source}/${name}`);
  return name.includes('/') ? [whole] : [keyOf(name), whole];
};

/**
 * All groups, in memory: every person is one object, whatever groups they are in, and a change costs as much as it
 * changes.
 */
export class GroupTable {
  readonly #groups = new Map<string, KnownGroup>();
  readonly #people = new Map<string, KnownPerson>();
  readonly #byName = new Map<string, Set<KnownGroup>>();
  /** Groups that are shown to groups, by the names of those. */
  readonly #shownTo = new Map<string, Set<KnownGroup>>();
  readonly #shownToEveryone = new Set<KnownGroup>();

  get(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  get all(): IterableIterator<Group> {
    return this.#groups.values();
  }

  get size(): number {
    return this.#groups.size;
  }

  person(account: Jid): GroupPerson | undefined {
    return this.#people.get(account.bareText);
  }

  of(account: Jid): ReadonlySet<Group> {
    return this.#people.get(account.bareText)?.groups ?? NO_GROUPS;
  }

  /** The groups with this name, which may have the name of their directory and a slash in front. */
  named(name: string): ReadonlySet<Group> {
    return this.#byName.get(keyOf(name)) ?? NO_GROUPS;
  }

  isMember(account: Jid, name: string): boolean {
    const groups = this.#people.get(account.bareText)?.groups;
    if (groups === undefined) return false;
    for (const group of this.named(name)) if (groups.has(group as KnownGroup)) return true;
    return false;
  }

  /** The groups that are in the rosters of the members of a group because of that. */
  shownToMembersOf(group: Group): readonly Group[] {
    const shown: Group[] = group.shownTo === 'members' ? [group] : [];
    for (const name of namesOf(group)) shown.push(...(this.#shownTo.get(name) ?? []));
    return shown;
  }

  get shownToEveryone(): ReadonlySet<Group> {
    return this.#shownToEveryone;
  }

  /** The groups whose members have a group in their rosters; `everyone` and nobody are no groups. */
  viewersOf(group: Group): readonly Group[] {
    if (group.shownTo === 'members') return [group];
    return typeof group.shownTo === 'string' ? [] : group.shownTo.flatMap((name) => [...this.named(name)]);
  }

  /** Does what was done. The delta must rest on the revision that is known here. */
  apply(delta: GroupDelta): GroupChange {
    const known = this.#groups.get(delta.id);
    const group = known ?? new KnownGroup(delta.id);
    if (delta.head === null) return this.#remove(group, delta);
    const { head } = delta;
    const sameNames = head === undefined || String(namesOf(head)) === String(namesOf(group));
    const sameView = sameNames && (head === undefined || String(head.shownTo) === String(group.shownTo));
    // whoever goes was seen by those who were there before, and whoever comes is seen by those who are there then
    const leaving = delta.remove.flatMap((jid) => group.members.get(jid)?.jid ?? []);
    const before = sameView ? this.#memberViews(group, leaving) : this.#views(group);
    const renamedLabel = head !== undefined && head.label !== group.label;
    if (head !== undefined) this.#become(group, head);
    for (const jid of delta.remove) this.#takeOut(group, jid);
    const { added, renamed } = this.#putIn(group, delta.add);
    group.revision = delta.after;
    const views = [...before, ...(sameView ? this.#memberViews(group, added) : this.#views(group))];
    const all = [...group.members.values()].map(({ jid }) => jid);
    if (renamedLabel && sameView) views.push(...this.#shown(group, all, true));
    views.push(...this.#renamed(renamed));
    const concerned = sameNames ? [...added, ...leaving] : [...all, ...leaving];
    return { id: group.id, name: group.name, added, removed: leaving, concerned, views };
  }

  /** Every node knows this revision of the group. */
  settle(id: string, revision: number): void {
    const group = this.#groups.get(id);
    if (group !== undefined) group.settled = Math.max(group.settled, revision);
  }

  #remove(group: KnownGroup, delta: GroupDelta): GroupChange {
    const views = this.#views(group);
    const removed = [...group.members.keys()].flatMap((jid) => this.#takeOut(group, jid));
    this.#unlink(group);
    this.#groups.delete(group.id);
    return { id: delta.id, name: group.name, added: [], removed, concerned: removed, views };
  }

  #become(group: KnownGroup, head: GroupHead): void {
    if (this.#groups.has(group.id)) this.#unlink(group);
    group.become(head);
    this.#groups.set(group.id, group);
    for (const name of namesOf(group)) addTo(this.#byName, name, group);
    if (group.shownTo === 'everyone') this.#shownToEveryone.add(group);
    if (typeof group.shownTo === 'string') return;
    for (const name of group.shownTo) addTo(this.#shownTo, keyOf(name), group);
  }

  #unlink(group: KnownGroup): void {
    for (const name of namesOf(group)) removeFrom(this.#byName, name, group);
    this.#shownToEveryone.delete(group);
    if (typeof group.shownTo === 'string') return;
    for (const name of group.shownTo) removeFrom(this.#shownTo, keyOf(name), group);
  }

  #putIn(group: KnownGroup, people: ReadonlyMap<string, string>): { added: Jid[]; renamed: KnownPerson[] } {
    const added: Jid[] = [];
    const renamed: KnownPerson[] = [];
    for (const [text, name] of people) {
      const person = this.#people.get(text) ?? new KnownPerson(Jid.parse(text));
      this.#people.set(text, person);
      const is = name === '' ? undefined : name;
      if (person.name !== is && person.groups.size > 0) renamed.push(person);
      person.name = is;
      if (group.members.has(text)) continue;
      added.push(person.jid);
      group.members.set(text, person);
      person.groups.add(group);
    }
    return { added, renamed };
  }

  #takeOut(group: KnownGroup, text: string): Jid[] {
    const person = group.members.get(text);
    if (person === undefined) return [];
    group.members.delete(text);
    person.groups.delete(group);
    if (person.groups.size === 0) this.#people.delete(text);
    return [person.jid];
  }

  /** Everything that is seen because of a group as it is now: of its members, and by its members. */
  #views(group: KnownGroup): ViewChange[] {
    const members = [...group.members.values()].map(({ jid }) => jid);
    const views = this.#shown(group, members, false);
    for (const other of this.shownToMembersOf(group)) {
      if (other === group) continue;
      views.push({ viewers: members, contacts: jidsOf([other]), namesOnly: false, mutual: false });
    }
    return views.filter(({ viewers, contacts }) => viewers.length > 0 && contacts.length > 0);
  }

  /** What changes where only these come into a group, or only these go, while it has both them and all others. */
  #memberViews(group: KnownGroup, changed: readonly Jid[]): ViewChange[] {
    if (changed.length === 0) return [];
    const views = this.#shown(group, changed, false);
    for (const other of this.shownToMembersOf(group)) {
      views.push({ viewers: changed, contacts: jidsOf([other]), namesOnly: false, mutual: other === group });
    }
    return views.filter(({ contacts }) => contacts.length > 0);
  }

  /** People have other names: in all their groups, whichever of them tells it first. */
  #renamed(people: readonly KnownPerson[]): ViewChange[] {
    const byGroup = new Map<KnownGroup, Jid[]>();
    for (const { jid, groups } of people) {
      for (const group of groups) {
        const jids = byGroup.get(group);
        if (jids === undefined) byGroup.set(group, [jid]);
        else jids.push(jid);
      }
    }
    return [...byGroup].flatMap(([group, jids]) => this.#shown(group, jids, true));
  }

  #shown(group: KnownGroup, contacts: readonly Jid[], namesOnly: boolean): ViewChange[] {
    if (contacts.length === 0) return [];
    if (group.shownTo === 'everyone') return [{ viewers: 'everyone', contacts, namesOnly, mutual: false }];
    const viewers = jidsOf(this.viewersOf(group));
    const mutual = group.shownTo === 'members';
    return viewers.length === 0 ? [] : [{ viewers, contacts, namesOnly, mutual }];
  }
}

function jidsOf(groups: readonly Group[]): Jid[] {
  if (groups.length === 1) return [...(groups[0] as Group).members.values()].map(({ jid }) => jid);
  const all = new Map<string, Jid>();
  for (const { members } of groups) for (const [text, { jid }] of members) all.set(text, jid);
  return [...all.values()];
}

function addTo(index: Map<string, Set<KnownGroup>>, name: string, group: KnownGroup): void {
  const groups = index.get(name);
  if (groups === undefined) index.set(name, new Set([group]));
  else groups.add(group);
}

function removeFrom(index: Map<string, Set<KnownGroup>>, name: string, group: KnownGroup): void {
  const groups = index.get(name);
  groups?.delete(group);
  if (groups?.size === 0) index.delete(name);
}
