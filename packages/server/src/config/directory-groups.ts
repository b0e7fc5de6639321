import * as z from 'zod';
import { attributeName, distinguishedName, searchFilter } from './directory-names.ts';
import { choice, count, section } from './option.ts';

const names = z.string().min(1).max(1024);

const rule = z.strictObject({
  groups: z.array(names).min(1).max(1000).meta({ description: 'Names of groups; a * stands for anything.' }),
  to: z
    .union([z.enum(['members', 'everyone', 'nobody']), z.array(names).min(1).max(100)])
    .default('members')
    .meta({
      description:
        'In whose rosters their members are: `members` in those of each other, `everyone` in those of all accounts of their domain, `nobody` in none, or in those of the members of the groups that are named here.',
    }),
});

/** Which groups of the directory Parley knows. */
export const directoryGroups = section(
  'Groups of the directory: in rosters, as administrators, and as those who may log in.',
  {
    base: distinguishedName.optional().meta({
      description: 'The entry below which groups are looked for. Without it Parley knows none.',
    }),
    scope: choice(['sub', 'one'], 'sub', {
      description: '`sub` looks in everything below `base`, `one` only at what stands directly below.',
    }),
    filter: searchFilter.optional().meta({
      description:
        'Which of the entries are groups. Without it: what the type of the directory calls a group, (objectClass=group) for instance.',
    }),
    name: attributeName.default('cn').meta({ description: 'The attribute that holds the name of a group.' }),
    label: attributeName.optional().meta({
      description: 'The attribute that holds what rosters call a group, such as description. Without it: its name.',
    }),
    members: z.array(attributeName).max(8).optional().meta({
      description:
        'Attributes of a group that hold the names of its members’ entries. Without it: those of the type, such as member and uniqueMember.',
    }),
    logins: z.array(attributeName).max(8).optional().meta({
      description:
        'Attributes of a group that hold the login names of its members. Without it: those of the type, such as memberUid.',
    }),
    login: attributeName.optional().meta({
      description: 'The attribute of a person that holds the login name: that of the type where nothing is said.',
    }),
    personName: z.array(attributeName).max(8).default(['displayName', 'cn']).meta({
      description: 'Attributes of a person that rosters take the name from: the first of them that has a value.',
    }),
    nestedDepth: count(5, {
      min: 0,
      max: 50,
      description:
        'How deep groups in groups are followed: their members are members of the outer group, too. With 0 they are not.',
    }),
    show: z
      .array(rule)
      .max(1000)
      .default([{ groups: ['*'], to: 'members' }])
      .meta({
        description:
          'Which groups are in rosters, and in whose: the first rule that names a group counts. Groups that none names are in no roster.',
      }),
    mayLogIn: z.array(names).max(100).default([]).meta({
      description: 'Names of groups: only their members may log in. Without any, everybody in the directory may.',
    }),
    most: count(2000, { max: 100_000, description: 'Groups that are known; further ones are left out.' }),
    mostMembers: count(10_000, {
      max: 1_000_000,
      description: 'Members that a group may have, with those of its groups; a larger one is left out.',
    }),
  },
);
