import { declareKeys } from '@parley/keyspace/key-declaration';

/** The field of all groups that holds the last revision; no group has such an id. */
export const LAST = '#';

export const groupKeys = declareKeys({
  name: 'groups',
  scope: 'global',
  type: 'hash',
  content:
    'id of a group → the revision of its last change, a space, and as JSON its name, its source, what rosters call it ' +
    'and whom it is shown to; # → the last revision of all',
  bound: 'directories[].groups.most of each directory',
  ttl: 'none',
});

export const groupMemberKeys = declareKeys({
  name: 'group-members',
  scope: 'global',
  parts: ['group'],
  type: 'hash',
  content: 'bare JID of a member → the name of that person, or nothing',
  bound: 'directories[].groups.mostMembers',
  ttl: 'none',
});
