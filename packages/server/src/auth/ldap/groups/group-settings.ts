import type { Filter } from 'ldapts';
import type { DirectoryConfiguration } from '../../../config/directory.ts';
import type { ShownTo } from '../../groups/group.ts';
import { configuredFilter } from '../configured-filter.ts';
import type { DirectoryType } from '../presets.ts';
import { ACTIVE_DIRECTORY, isOfEverybody, type PrimaryGroupAttributes } from './primary-group.ts';

type GroupConfiguration = DirectoryConfiguration['groups'];

/** What is usual for groups in one kind of directory. */
interface GroupPreset {
  readonly filter: string;
  readonly members: readonly string[];
  readonly logins: readonly string[];
  readonly login: string;
  /** Where people have a group that does not name them. */
  readonly primary?: PrimaryGroupAttributes;
}

const UNIX: GroupPreset = {
  filter: '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))',
  members: ['member', 'uniqueMember'],
  logins: ['memberUid'],
  login: 'uid',
};

const presets: Readonly<Record<DirectoryType, GroupPreset>> = {
  openldap: UNIX,
  '389ds': UNIX,
  freeipa: { ...UNIX, filter: '(objectClass=ipaUserGroup)', members: ['member'] },
  activeDirectory: {
    filter: '(objectClass=group)',
    members: ['member'],
    logins: [],
    login: 'sAMAccountName',
    primary: ACTIVE_DIRECTORY,
  },
};

/** How the groups of a directory are read, with what its type fills in. */
export interface GroupSettings extends Omit<GroupConfiguration, 'base' | 'filter' | 'members' | 'logins' | 'login'> {
  readonly base: string;
  readonly filter: Filter;
  readonly members: readonly string[];
  readonly logins: readonly string[];
  readonly login: string;
  readonly primary: PrimaryGroupAttributes | undefined;
  /** In whose rosters the members of a group with this name are. */
  shownTo(name: string, sid?: string): ShownTo;
}

/** The names by which groups are known all over the server, of those that a directory's part of the configuration names. */
export type NamesOfGroups = (names: readonly string[]) => string[];

/**
 * A directory means groups of its own, whoever else has some of these names, unless the name of one of the directories
 * stands in front of them.
 */
export const namesIn =
  (directory: string, directories: ReadonlySet<string>): NamesOfGroups =>
  (names) =>
    names.map((name) => {
      const [place] = name.toLowerCase().split('/', 1);
      return name.includes('/') && directories.has(place ?? '') ? name : `${directory}/${name}`;
    });

/** Undefined where there are to be none. Throws a ConfiguredFilterError. */
export function groupSettings(
  config: GroupConfiguration,
  type: DirectoryType,
  inFull: NamesOfGroups,
): GroupSettings | undefined {
  const { base, filter, members, logins, login, show } = config;
  if (base === undefined) return undefined;
  const preset = presets[type];
  const rules = show.map(({ groups, to }) => ({
    matches: groups.map((pattern) => ({ fits: matcherOf(pattern), isForAll: pattern === '*' })),
    to: typeof to === 'string' ? to : inFull(to),
  }));
  return {
    ...config,
    base,
    filter: configuredFilter(filter ?? preset.filter),
    members: members ?? preset.members,
    logins: logins ?? preset.logins,
    login: login ?? preset.login,
    primary: preset.primary,
    mayLogIn: inFull(config.mayLogIn),
    shownTo(name, sid) {
      const byName = isOfEverybody(sid);
      const fitting = rules.find(({ matches }) =>
        matches.some(({ fits, isForAll }) => !(byName && isForAll) && fits(name.toLowerCase())),
      );
      return fitting?.to ?? 'nobody';
    },
  };
}

/** What of a group's entry is needed. */
export const groupAttributes = ({ name, label, members, logins, primary }: GroupSettings): readonly string[] => [
  ...new Set([name, label, primary?.sid, ...members, ...logins].filter((each) => each !== undefined)),
];

/** What of a person's entry is needed to know it as a member. */
export const memberAttributes = ({ personName, logins, login, primary }: GroupSettings): readonly string[] => [
  ...personName,
  ...(logins.length > 0 ? [login] : []),
  ...(primary === undefined ? [] : [primary.sid, primary.number]),
];

/** Whether a name, in small letters, fits a text in which a * stands for anything. */
function matcherOf(pattern: string): (name: string) => boolean {
  const [first = '', ...others] = pattern.toLowerCase().split('*');
  const last = others.pop();
  if (last === undefined) return (name) => name === first;
  return (name) => {
    const end = name.length - last.length;
    if (!name.startsWith(first) || !name.endsWith(last) || end < first.length) return false;
    let at = first.length;
    for (const piece of others) {
      const found = name.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= end;
  };
}
