import type { DirectoryRefused } from '../directory-error.ts';

/** What a password policy may have against a new password (draft-behera-ldap-password-policy §6.2). */
const POLICY = new Map([
  [3, 'The directory does not let you change the password.'],
  [4, 'The old password is needed, too.'],
  [5, 'The password is not good enough for the directory: make it longer, and of several kinds of characters.'],
  [6, 'The password is too short for the directory.'],
  [7, 'The password was changed a short while ago: the directory lets it be changed again later.'],
  [8, 'You have had this password before: the directory wants another one.'],
]);

/** Active Directory tells it by a number of Windows, in eight hexadecimal digits. */
const WINDOWS = new Map([
  ['00000056', 'The old password is wrong.'],
  [
    '0000052d',
    'The password is too short, too simple, one that you have had before, or was changed a short while ago.',
  ],
  ['00000005', 'The directory does not let you change the password.'],
]);

/** In words for the person, why the directory does not take a new password. */
export function passwordRefusal({ message, policyError }: DirectoryRefused): string {
  const windows = /^([0-9A-F]{8}): /i.exec(message)?.[1];
  const known = (windows && WINDOWS.get(windows.toLowerCase())) ?? POLICY.get(policyError ?? -1);
  // What else a directory says is for people, too; what Windows says is not.
  const own = windows === undefined ? readable(message) : '';
  if (known === undefined) return `The directory does not take this password${own === '' ? '.' : `: ${own}`}`;
  return own === '' ? known : `${known} (${own})`;
}

/** What can stand in XML, and is not endless. */
const readable = (text: string): string =>
  text
    .replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 200);
