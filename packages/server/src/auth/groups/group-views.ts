import { hash } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import type { Group, GroupPerson } from './group.ts';
import type { GroupTable } from './group-table.ts';

/** Who sees whom because of groups: what rosters and presence ask. */
export class GroupViews {
  readonly #table: GroupTable;
  readonly #letsGuestsIn: (domain: string) => boolean;

  /** `letsGuestsIn`: whether anybody may come to this domain without an account. */
  constructor(table: GroupTable, letsGuestsIn: (domain: string) => boolean) {
    this.#table = table;
    this.#letsGuestsIn = letsGuestsIn;
  }

  /** Whether any group is in any roster. */
  get any(): boolean {
    return this.#table.size > 0;
  }

  /** The viewer has the contact in its roster because of a group, and sees its presence. */
  sees(viewer: Jid, contact: Jid): boolean {
    if (this.#table.size === 0) return false;
    const seen = this.#table.person(contact);
    if (seen === undefined || viewer.bareText === contact.bareText) return false;
    for (const group of seen.groups) if (this.#isShown(group, viewer, contact.domain)) return true;
    return false;
  }

  /** The person as the viewer sees it, and what the groups are called because of which it does; none: it does not. */
  seen(viewer: Jid, contact: Jid): { readonly name: string | undefined; readonly labels: readonly string[] } {
    const person = this.#table.size === 0 ? undefined : this.#table.person(contact);
    if (person === undefined || viewer.bareText === contact.bareText) return { name: undefined, labels: [] };
    const labels = new Set<string>();
    for (const group of person.groups) if (this.#isShown(group, viewer, contact.domain)) labels.add(group.label);
    return { name: labels.size > 0 ? person.name : undefined, labels: [...labels] };
  }

  #isShown(group: Group, viewer: Jid, domain: string): boolean {
    switch (group.shownTo) {
      case 'nobody':
        return false;
      case 'members':
        return group.members.has(viewer.bareText);
      case 'everyone':
        return viewer.domain === domain && !this.#letsGuestsIn(domain);
      default:
        return group.shownTo.some((name) => this.#table.isMember(viewer, name));
    }
  }

  /** Everybody whom the viewer sees, each once. */
  *contactsOf(viewer: Jid): Generator<GroupPerson, void, undefined> {
    if (this.#table.size === 0) return;
    const groups = [...this.#shownTo(viewer)];
    for (const [index, group] of groups.entries()) {
      const everyone = group.shownTo === 'everyone';
      for (const [text, person] of group.members) {
        if (text === viewer.bareText || (everyone && person.jid.domain !== viewer.domain)) continue;
        if (!isIn(groups, index, text)) yield person;
      }
    }
  }

  #shownTo(viewer: Jid): Set<Group> {
    const shown = new Set<Group>();
    for (const group of this.#table.of(viewer))
      for (const other of this.#table.shownToMembersOf(group)) shown.add(other);
    // last: of these not everybody is seen
    if (!this.#letsGuestsIn(viewer.domain)) for (const group of this.#table.shownToEveryone) shown.add(group);
    return shown;
  }

  /** Everybody who sees the contact, each once; `everyone` is asked for all of the contact's domain, where it matters. */
  *viewersOf(contact: Jid, everyone: (domain: string) => Iterable<Jid>): Generator<Jid, void, undefined> {
    if (this.#table.size === 0) return;
    const viewing = new Set<Group>();
    let all = false;
    for (const group of this.#table.of(contact)) {
      if (group.shownTo === 'everyone') all = !this.#letsGuestsIn(contact.domain);
      for (const viewers of this.#table.viewersOf(group)) viewing.add(viewers);
    }
    if (all) for (const jid of everyone(contact.domain)) if (jid.bareText !== contact.bareText) yield jid;
    const groups = [...viewing];
    for (const [index, group] of groups.entries()) {
      for (const [text, { jid }] of group.members) {
        if (text === contact.bareText || (all && jid.domain === contact.domain)) continue;
        if (!isIn(groups, index, text)) yield jid;
      }
    }
  }

  /**
   * Changes with everything that the viewer sees, and with whom they are seen by, once every node knows of it; undefined
   * where no group has to do with them.
   */
  versionFor(viewer: Jid): string | undefined {
    if (this.#table.size === 0) return undefined;
    const groups = this.#shownTo(viewer);
    for (const group of this.#table.of(viewer)) {
      if (group.shownTo !== 'nobody') groups.add(group);
      for (const other of this.#table.viewersOf(group)) groups.add(other);
    }
    if (groups.size === 0) return undefined;
    const texts = [...groups].map(({ id, settled }) => `${id} ${settled}`).sort();
    return hash('sha1', texts.join('\n'), 'base64url').slice(0, 16);
  }
}

/** Whether somebody is in one of the first so many groups: they were told of before. */
function isIn(groups: readonly Group[], before: number, text: string): boolean {
  for (let index = 0; index < before; index++) if (groups[index]?.members.has(text)) return true;
  return false;
}
