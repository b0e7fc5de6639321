import type { Jid } from '@parley/xmpp/jid';

/**
 * In whose rosters the members of a group are: in nobody's, in those of the members, of every account of the same
 * domain, or of the members of the groups with these names.
 */
export type ShownTo = 'nobody' | 'members' | 'everyone' | readonly string[];

/** What a group is, whoever is in it. */
export interface GroupHead {
  readonly name: string;
  /** What rosters call it. */
  readonly label: string;
  /** Where it comes from: the name of a directory. */
  readonly source: string;
  readonly shownTo: ShownTo;
}

/** Somebody who is in a group: one object for all the groups that they are in. */
export interface GroupPerson {
  readonly jid: Jid;
  readonly name: string | undefined;
  readonly groups: ReadonlySet<Group>;
}

/** A group with its members, as this node knows it. It changes as the group does. */
export interface Group extends GroupHead {
  readonly id: string;
  readonly revision: number;
  /** The revision that every node has come to know, as far as this one knows. */
  readonly settled: number;
  /** By bare JID. */
  readonly members: ReadonlyMap<string, GroupPerson>;
}

/** What somebody wants a group to become; what is left out stays as it is. */
export interface GroupWish {
  /** Needed where the group is new. */
  readonly head?: GroupHead | undefined;
  /** Bare JIDs of those who come, or have another name, with their names: '' where there is none. */
  readonly add?: ReadonlyMap<string, string> | undefined;
  /** Bare JIDs of those who go. */
  readonly remove?: readonly string[] | undefined;
}

/** A change as it was made: on top of one revision it makes another. `head: null`: the group is gone. */
export interface GroupDelta {
  readonly id: string;
  readonly before: number;
  readonly after: number;
  readonly head?: GroupHead | null | undefined;
  readonly add: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/**
 * Some see something else of others now: every one of the viewers of every one of the contacts, be it that they do not
 * see them any more, or that they see them as somebody else.
 */
export interface ViewChange {
  /** `everyone`: all accounts of the contact's domain. */
  readonly viewers: readonly Jid[] | 'everyone';
  readonly contacts: readonly Jid[];
  /** Whether it is only about names and labels: whose presence they see is as before. */
  readonly namesOnly: boolean;
  /** Whether the contacts see the viewers as well, which another change tells of. */
  readonly mutual: boolean;
}

/** What has become of a group. */
export interface GroupChange {
  readonly id: string;
  readonly name: string;
  /** Those who have come and those who have gone. */
  readonly added: readonly Jid[];
  readonly removed: readonly Jid[];
  /** Whoever may be allowed something else because of it: those, or all members where the group has another name. */
  readonly concerned: readonly Jid[];
  readonly views: readonly ViewChange[];
}
