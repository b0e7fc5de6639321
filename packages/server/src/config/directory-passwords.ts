import * as z from 'zod';
import { attributeName } from './directory-names.ts';
import { choice, count, flag, section } from './option.ts';

const live = true;

/** How the passwords of people in the directory are checked and changed. */
export const directoryPasswords = section('Passwords of people in the directory.', {
  scram: choice(['none', 'learn', 'verifiers', 'relay'], 'none', {
    description:
      'Where SCRAM comes from. `none`: there is PLAIN alone. `learn`: each login by PLAIN teaches the server a verifier, kept encrypted, so that somebody’s first login has to be by PLAIN. `verifiers`: the directory has them (RFC 5803) and lets Parley read them. `relay`: the directory speaks SCRAM itself, and Parley passes it on.',
  }),
  verifiers: attributeName.default('authPassword').meta({
    description: 'With `verifiers`: the attribute that holds them, one value for each hash.',
  }),
  hashes: z
    .array(z.enum(['SHA-512', 'SHA-256', 'SHA-1']))
    .min(1)
    .default(['SHA-512', 'SHA-256', 'SHA-1'])
    .meta({
      description:
        'With `verifiers` and `relay`: which hashes of SCRAM everybody in the directory can log in with. The others are not offered.',
    }),
  changed: attributeName.optional().meta({
    description:
      'With `learn`: the attribute that becomes another one when somebody’s password changes. Without it: that of the type, such as pwdChangedTime or pwdLastSet, and modifyTimestamp where an entry has none.',
  }),
  change: choice(['service', 'person', 'none'], 'service', {
    live,
    description:
      'How somebody who is logged in changes their password by their client: `service` as the account that Parley has, `person` as themselves, for which they are asked for the old one, `none` not at all.',
  }),
  tellLocked: flag(false, {
    live,
    description:
      'Say that an account is locked also where the directory has not looked at the password: more help for its owner, and strangers learn that there is such an account.',
  }),
  warnDays: count(7, {
    live,
    min: 0,
    max: 365,
    description:
      'So many days before a password expires its owner is told at each login, where the entry says when. What the directory itself says at a login is always told.',
  }),
  help: z.string().max(500).default('').meta({
    live,
    description:
      'What is said to people behind the reason why they cannot log in or should change their password, such as where to do it. Empty: nothing.',
  }),
  mostGuesses: count(2, {
    live,
    min: 0,
    max: 1000,
    description:
      'With `learn`: so many passwords that differ from the one which the directory took before are tried there, for each account in ten minutes on each node. Fewer than the directory bears, so that strangers cannot have it lock out the owner.',
  }),
  mostWaiting: count(256, {
    live,
    max: 100_000,
    description: 'Logins that may wait for the directory on each node; whoever comes then is told to come again later.',
  }),
});
