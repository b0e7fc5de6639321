import type { Log } from '../../../log.ts';
import type { Group, GroupHead } from '../../groups/group.ts';
import type { Groups } from '../../groups.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { type IdAttribute, idOf } from '../entry-id.ts';
import { type Copy, digits, type EntryChange } from '../following/copy.ts';
import { FormerNames } from './former-names.ts';
import { readGroupEntry } from './group-entry.ts';
import { GroupGraph } from './group-graph.ts';
import type { GroupSettings } from './group-settings.ts';
import type { MemberPeople } from './member-people.ts';

export interface GroupsCopyOptions {
  readonly directory: Directory;
  readonly settings: GroupSettings;
  readonly id: IdAttribute;
  readonly people: MemberPeople;
  readonly groups: Groups;
  readonly log: Log;
  /** What was begun here by itself has failed: everything has to be begun anew. */
  readonly onTrouble: (error: unknown) => void;
}

/** Groups that are changed at the same time. */
const AT_ONCE = 8;

/** A change of one group in two steps, so that whoever goes from one group to another is in one of them all the time. */
interface Difference {
  readonly key: string;
  readonly head: GroupHead;
  readonly add: Map<string, string>;
  readonly remove: string[];
  /** Whether there is anything for the first step. */
  readonly adds: boolean;
}

/**
 * The groups of a directory on the node that follows it: what changes there is compared with what all nodes know, and
 * told. Until everything is known nothing is: half of the groups make wrong members of the groups around them.
 */
export class GroupsCopy implements Copy {
  readonly #options: GroupsCopyOptions;
  readonly #graph = new GroupGraph();
  readonly #byUuid = new Map<string, string>();
  readonly #former = new FormerNames((dn) => this.#byItself(() => this.#carryOut(this.#graph.concernedBy([dn], []))));
  #complete = false;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: GroupsCopyOptions) {
    this.#options = options;
  }

  get size(): number {
    return new Set(this.ids()).size;
  }

  has(id: string): boolean {
    return this.#graph.get(id) !== undefined || this.#options.groups.get(this.#key(id)) !== undefined;
  }

  /** Those that all nodes know, too: one that is not in the directory any more is missing. */
  *ids(): Generator<string, void, undefined> {
    yield* this.#graph.ids;
    const known = this.#key('').length;
    for (const group of this.#own()) {
      const id = group.id.slice(known);
      if (this.#graph.get(id) === undefined) yield id;
    }
  }

  idOf(entry: Entry): string | undefined {
    return idOf(entry, this.#options.id);
  }

  idOfUuid(entryUuid: string): string | undefined {
    const text = digits(entryUuid);
    return this.#byUuid.get(text) ?? [...this.ids()].find((id) => digits(id) === text);
  }

  apply(changes: readonly EntryChange[]): Promise<void> {
    return this.#inOrder(async () => {
      const { settings, directory } = this.#options;
      const concerned = new Set<string>();
      for (const { id, entry, entryUuid } of changes) {
        const group = entry && (await readGroupEntry(id, entry, settings, directory));
        if (entryUuid !== undefined && group !== undefined) this.#byUuid.set(digits(entryUuid), id);
        const before = this.#graph.get(id);
        if (before && group && before.dn !== group.dn) this.#former.add(before.dn, group.dn);
        for (const each of this.#graph.set(id, group)) concerned.add(each);
      }
      if (this.#complete) await this.#carryOut(concerned);
    });
  }

  /** Everything is known of groups and of people. */
  completed(): void {
    this.#complete = true;
    this.#byItself(() => this.#carryOut(new Set(this.ids())));
  }

  /** What the directory says of people. */
  takePeople(changes: readonly EntryChange[]): void {
    const { dns, logins, sids, renamed } = this.#options.people.take(changes);
    for (const [before, now] of renamed) this.#former.add(before, now);
    if (!this.#complete || (dns.size === 0 && logins.size === 0)) return;
    this.#byItself(() => this.#carryOut(this.#graph.concernedBy(dns, logins, sids)));
  }

  settled(): Promise<void> {
    return this.#queue;
  }

  close(): void {
    this.#closed = true;
    this.#former.close();
  }

  #byItself(work: () => Promise<void>): void {
    this.#inOrder(work).catch((error) => this.#closed || this.#options.onTrouble(error));
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(async () => {
      if (this.#closed) throw new Error('What was known of the groups has to be read anew.');
      await work();
    });
    this.#queue = done.catch(() => {}); // whoever waits for it hears of it
    return done;
  }

  #key(id: string): string {
    return `${this.#options.directory.name}:${id}`;
  }

  *#own(): Generator<Group, void, undefined> {
    for (const group of this.#options.groups.all) if (group.source === this.#options.directory.name) yield group;
  }

  async #carryOut(concerned: ReadonlySet<string>): Promise<void> {
    const { groups } = this.#options;
    const gone: string[] = [];
    const differences: Difference[] = [];
    let room = this.#options.settings.most - [...this.#own()].length;
    for (const id of concerned) {
      const difference = this.#difference(id);
      if (difference === undefined) gone.push(this.#key(id));
      else if (groups.get(difference.key) !== undefined || room-- > 0) differences.push(difference);
    }
    if (room < 0) this.#full();
    const first = differences.filter(({ adds }) => adds);
    await inPortions(first, ({ key, head, add }) => groups.change(key, { head, add }));
    const second = differences.filter(({ remove }) => remove.length > 0);
    await inPortions(second, ({ key, remove }) => groups.change(key, { remove }));
    await inPortions(
      gone.filter((key) => groups.get(key) !== undefined),
      (key) => groups.remove(key),
    );
  }

  /** Between what all nodes know and what is so; undefined where there is to be no such group. */
  #difference(id: string): Difference | undefined {
    const { directory, settings, people, groups, log } = this.#options;
    const group = this.#graph.get(id);
    if (group === undefined) return undefined;
    const key = this.#key(id);
    const known = groups.get(key);
    const members = this.#graph.membersOf(group, people, (dn) => this.#former.of(dn), settings);
    if (members === undefined) {
      const message = `It has more than ${settings.mostMembers} members, with those of its groups, and is left out.`;
      log.flood('directory.group', { directory: directory.name, group: group.name, message });
      return undefined;
    }
    const { name, label, sid } = group;
    const head: GroupHead = { name, label, source: directory.name, shownTo: settings.shownTo(name, sid) };
    const add = new Map([...members].filter(([jid, name]) => !isKnown(known, jid, name)));
    const remove = [...(known?.members.keys() ?? [])].filter((jid) => !members.has(jid));
    return { key, head, add, remove, adds: known === undefined || !sameHead(known, head) || add.size > 0 };
  }

  #full(): void {
    const { directory, settings, log } = this.#options;
    const message = `There are more than ${settings.most} groups: the rest is left out.`;
    log.flood('directory.groups', { directory: directory.name, message });
  }
}

const sameHead = (a: GroupHead, b: GroupHead): boolean =>
  a.name === b.name && a.label === b.label && a.source === b.source && String(a.shownTo) === String(b.shownTo);

function isKnown(group: Group | undefined, jid: string, name: string): boolean {
  const member = group?.members.get(jid);
  return member !== undefined && (member.name ?? '') === name;
}

async function inPortions<T>(list: readonly T[], work: (each: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < list.length; at += AT_ONCE) await Promise.all(list.slice(at, at + AT_ONCE).map(work));
}
