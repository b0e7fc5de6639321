import * as z from 'zod';
import { directoryGroups } from './directory-groups.ts';
import { attributeName, distinguishedName, searchFilter } from './directory-names.ts';
import { directoryPasswords } from './directory-passwords.ts';
import { directorySearch, directoryVcard } from './directory-profile.ts';
import { directorySynchronisation } from './directory-synchronisation.ts';
import { choice, count, file, flag, seconds, secret, secretFile, section } from './option.ts';

export const DIRECTORY_TYPES = ['openldap', '389ds', 'activeDirectory', 'freeipa'] as const;

export { attributeName, distinguishedName, searchFilter };

/** The accounts that the server keeps itself, where sources of accounts are named. */
export const INTERNAL = 'internal';

const live = true;

const server = z
  .string()
  .max(512)
  .regex(/^ldaps?:\/\/(?:\[[0-9a-f:.]+\]|[^\s/:?#[\]@]+)(?::[0-9]{1,5})?\/?$/i, {
    error: 'is not the URL of a directory server: write ldap://host, ldaps://host or ldaps://host:port',
  });

const people = section('Which entries are accounts, and how they are read.', {
  base: distinguishedName.meta({ description: 'The entry below which people are looked for.' }),
  scope: choice(['sub', 'one'], 'sub', {
    description: '`sub` looks in everything below `base`, `one` only at what stands directly below.',
  }),
  filter: searchFilter.optional().meta({
    description:
      'Which of the entries are people. Without it: what the type of the directory calls a person, (objectClass=inetOrgPerson) for instance.',
  }),
  address: attributeName.default('mail').meta({
    description:
      'The attribute that holds somebody’s address, which is the address of the account, too. Where it has several values, the first in a domain of this directory counts.',
  }),
  domain: z.string().max(1023).optional().meta({
    description: 'Where `address` holds mere names, as uid and sAMAccountName do: the domain that is put behind them.',
  }),
  id: attributeName.optional().meta({
    description:
      'The attribute that tells somebody apart for ever, whatever else of the entry changes. Without it: that of the type, such as entryUUID or objectGUID.',
  }),
  state: z
    .enum([...DIRECTORY_TYPES, 'none'])
    .optional()
    .meta({
      description:
        'By whose rules attributes tell who is disabled, locked or expired: those of the type where nothing is said, `none` for nobody’s.',
    }),
  successors: choice(['inherit', 'startAnew'], 'inherit', {
    description:
      'What becomes of roster, messages and all else that is kept at an address which the directory gives to another entry than before. `inherit`: it is that one’s, since it may be the same person in a new entry; the log tells of it. `startAnew`: it is taken away for good.',
  }),
  policy: distinguishedName.optional().meta({
    description:
      'OpenLDAP: the password policy (`ppolicy_default`) of people whose entries name none, for how long passwords and locks last.',
  }),
});

const directory = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'is not a name: write small letters, digits and hyphens')
    .refine((name) => name !== INTERNAL, 'is taken by the accounts that the server keeps: write another name')
    .meta({ description: 'What this directory is called in this file, in logs and in metrics.' }),
  type: choice(DIRECTORY_TYPES, 'openldap', { description: 'Whose ways it has; each of them can be set otherwise.' }),
  servers: z.array(server).min(1).max(16).meta({
    live,
    description:
      'URLs of its servers, the preferred one first: ldap://host, ldaps://host, with a port where it differs.',
  }),
  startTls: flag(true, {
    live,
    description: 'Encrypt connections to ldap:// by StartTLS before anything else is said.',
  }),
  authorities: file({
    live,
    description:
      'Certificates (PEM) of the authorities that vouch for its servers. Without it: those that the machine trusts. A reload reads them anew.',
  }),
  allowUnencrypted: flag(false, {
    live,
    description: 'Go without encryption where `startTls` is off: passwords can be read on the way.',
  }),
  bind: section('Who Parley is to the directory.', {
    dn: z.string().min(1).max(1024).meta({
      live,
      description: 'The name of an account that may read people and groups; with Active Directory user@domain, too.',
    }),
    password: secret({ live, description: 'Its password; better in a file.' }),
    passwordFile: secretFile('password', { live }),
  }),
  connections: count(8, {
    live,
    max: 1000,
    description: 'Connections to each server, for questions; and as many for passwords that are checked.',
  }),
  connectTimeoutSeconds: seconds(2, { live, max: 60, description: 'Time for a connection, with encryption and bind.' }),
  timeoutSeconds: seconds(2, { live, max: 60, description: 'Time for a server to answer; then another one is asked.' }),
  answerSeconds: seconds(4, {
    live,
    max: 60,
    description: 'Time for all that somebody’s login asks of the directory; then they are told to come again later.',
  }),
  people,
  groups: directoryGroups,
  passwords: directoryPasswords,
  synchronisation: directorySynchronisation,
  vcard: directoryVcard,
  search: directorySearch,
});

export const directories = z
  .array(directory)
  .max(32)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names one twice: name each once')
  .default([])
  .meta({ named: true, description: 'Directories (LDAP) that accounts, groups and photos come from.' });

/** One directory as the file has it, with every default filled in. */
export type DirectoryConfiguration = z.infer<typeof directory>;

/** The sources of accounts of one domain. */
export const accountSources = z
  .array(z.string().min(1).max(63))
  .min(1)
  .max(32)
  .refine((list) => new Set(list).size === list.length, 'names a source twice: name each once');

interface Sources {
  readonly accounts?: readonly unknown[] | undefined;
}

interface Parts {
  readonly directories?: readonly Partial<DirectoryConfiguration>[] | undefined;
  readonly domains?: readonly Sources[] | undefined;
  readonly authentication?: Sources | undefined;
  readonly adminGroups?: readonly unknown[] | undefined;
}

export interface DirectoryProblem {
  readonly path: PropertyKey[];
  /** What is wrong, a colon, what to write instead. */
  readonly message: string;
}

/** What is wrong between parts that are each as they should be. Any of them may be missing or not be what it should. */
export function directoryProblems({ directories, domains, authentication, adminGroups }: Parts): DirectoryProblem[] {
  const list = Array.isArray(directories) ? directories.filter((each) => typeof each === 'object') : [];
  const names = new Set<unknown>([INTERNAL, ...list.map(({ name }) => name)]);
  const unknown = (path: PropertyKey[], sources: readonly unknown[] | undefined) =>
    (Array.isArray(sources) ? sources : []).flatMap((source, index) =>
      typeof source !== 'string' || names.has(source)
        ? []
        : [
            {
              path: [...path, index],
              message: `is ${JSON.stringify(source)}, which is no directory: write one of ${[...names].join(', ')}`,
            },
          ],
    );
  return [
    ...unknown(['authentication', 'accounts'], authentication?.accounts),
    ...(Array.isArray(domains) ? domains : []).flatMap((each, index) =>
      unknown(['domains', index, 'accounts'], each?.accounts),
    ),
    ...ambiguousGroups(list, adminGroups),
    ...list.flatMap((each, index) =>
      ownProblems(each).map(({ path, message }) => ({ path: ['directories', index, ...path], message })),
    ),
  ];
}

/** Who may make groups in one directory is not to make administrators by the name of a group of another one. */
function ambiguousGroups(list: readonly Partial<DirectoryConfiguration>[], names: unknown): DirectoryProblem[] {
  const places = list.filter(({ groups }) => groups?.base !== undefined).map(({ name }) => name);
  if (places.length < 2 || !Array.isArray(names)) return [];
  return names.flatMap((name: unknown, index) => {
    if (typeof name !== 'string' || places.some((place) => name.startsWith(`${place}/`))) return [];
    const cure = `write one of ${places.map((place) => `${place}/${name}`).join(', ')}`;
    const message = `is ${JSON.stringify(name)}, which several directories may have: ${cure}`;
    return [{ path: ['adminGroups', index], message }];
  });
}

function ownProblems({
  servers,
  startTls,
  allowUnencrypted,
  bind,
  groups,
  search,
}: Partial<DirectoryConfiguration>): DirectoryProblem[] {
  const problems: DirectoryProblem[] = [];
  if (groups?.base === undefined) {
    const message = 'names groups, but nothing says where they are: write groups.base';
    if (Array.isArray(search?.allow)) problems.push({ path: ['search', 'allow'], message });
    if (Array.isArray(groups?.mayLogIn) && groups.mayLogIn.length > 0)
      problems.push({ path: ['groups', 'mayLogIn'], message });
  }
  if (startTls === false && allowUnencrypted !== true) {
    for (const [index, url] of (servers ?? []).entries()) {
      if (!/^ldap:/i.test(url)) continue;
      const message = 'is not encrypted: write ldaps://, or set `startTls: true`, or `allowUnencrypted: true`';
      problems.push({ path: ['servers', index], message });
    }
  }
  if (typeof bind?.dn === 'string' && bind.password === undefined) {
    const message = 'is missing: write the password of `bind.dn`, or a `passwordFile` that holds it';
    problems.push({ path: ['bind', 'password'], message });
  }
  return problems;
}
