import { event } from './log-event.ts';

/** Directories (LDAP). */
export const directoryEvents = {
  'directory.again': event(
    'info',
    ['directory', 'what', 'message'],
    'Following the directory begins anew: it cannot say what has changed since.',
  ),
  'directory.ambiguous': event(
    ['flood', 'warn'],
    ['directory', 'account', 'entries', 'message'],
    'Several entries have the same address, so that nobody can log in with it.',
    'Make their addresses differ.',
  ),
  'directory.away': event(
    ['warn', 'debug'],
    ['directory', 'what', 'error', 'message'],
    'The directory cannot be followed just now: what changes there is not seen until it can. Told once.',
    'As the message says.',
  ),
  'directory.failed': event(
    'flood',
    ['directory', 'message'],
    'Somebody was looked for in the directory, and it did not answer as it should. Their login failed for now.',
    'See the message; `parley directory test` tries everything.',
  ),
  'directory.follow': event(
    'info',
    ['directory', 'message'],
    'This node is the one of the cluster that follows the directory.',
  ),
  'directory.followed': event(
    'info',
    ['directory', 'what', 'mode', 'known', 'seconds', 'message'],
    'Everything in the directory is known, and what changes from now on is heard of.',
  ),
  'directory.group': event(
    'flood',
    ['directory', 'group', 'message'],
    'A group has too many members, and is left out.',
    'Raise the limit, or choose groups by the filter.',
  ),
  'directory.groups': event(
    'flood',
    ['directory', 'message'],
    'There are too many groups: the rest is left out.',
    'Raise the limit, or choose groups by the filter.',
  ),
  'directory.held': event(
    'error',
    ['directory', 'missing', 'known', 'message'],
    'Many entries are missing all at once: a wrong filter or rights, more likely than that so many people left. They stay for now.',
    'Look whether it is right before the time is over.',
  ),
  'directory.lease': event(
    'debug',
    ['directory', 'error'],
    'Which node follows the directory could not be settled; it is tried again.',
  ),
  'directory.no-group': event(
    'flood',
    ['groups', 'message'],
    'None of `groups.mayLogIn` is known, so nobody of the directory can log in.',
    'Write the names as the directory has them.',
  ),
  'directory.not-kept': event(
    'flood',
    ['directory', 'message'],
    'What the directory said could not be kept. The login went on.',
    'Look at the keyspace.',
  ),
  'directory.password-refused': event(
    'flood',
    ['directory', 'code', 'message'],
    'The directory does not let a password be changed from here.',
    'As the message says.',
  ),
  'directory.person': event(
    ['info', 'debug'],
    ['directory', 'account', 'change', 'state', 'before'],
    'Somebody has changed in the directory, and that is in force: added (at `debug`), moved, locked, removed.',
  ),
  'directory.photo-left-out': event(
    'warn',
    ['directory', 'account', 'message'],
    'A photo of the directory is too large or no picture; the vCard goes without it.',
    'Put a smaller one there.',
  ),
  'directory.removed': event(
    'warn',
    ['directory', 'removed', 'known', 'message'],
    'Those whom the directory has not shown for long are taken away.',
  ),
  'directory.server.away': event(
    'warn',
    ['directory', 'server', 'message'],
    'A server of the directory does not work; others are asked where there are some.',
    'See the message.',
  ),
  'directory.server.back': event(
    'info',
    ['directory', 'server', 'awaySeconds'],
    'A server of the directory works again.',
  ),
  'directory.successor': event(
    'flood',
    ['directory', 'account', 'former', 'id', 'message'],
    'Another entry than before has an address. What was kept there is theirs, or taken away: `people.successors` says which.',
    'See whether it is the same human being.',
  ),
  'directory.unusable': event(
    ['flood', 'debug'],
    ['directory', 'dn', 'message'],
    'An entry is no account: it has no address, or no identifier.',
    'Where it should be one, as the message says.',
  ),
} as const;
