import type { DirectoryConfiguration } from '../../../config/directory.ts';
import { generalizedTime } from '../ldap-time.ts';
import type { Person } from '../person.ts';
import type { PasswordMark } from './learnt-verifiers.ts';

/** What tells that a password is another one, in each type of directory. */
const CHANGED = {
  openldap: 'pwdChangedTime',
  '389ds': 'pwdUpdateTime',
  freeipa: 'krbLastPwdChange',
  activeDirectory: 'pwdLastSet',
} as const;

/** Where an entry has no such attribute, each change of it may be one of the password. */
const ANY_CHANGE = 'modifyTimestamp';
/** The number of the last change of an entry: no two have the same. */
const CHANGE_NUMBER = 'entryCSN';
/** The times have whole seconds, and the clocks of two machines differ. */
const RECENT_MS = 60_000;

type Directory = Pick<DirectoryConfiguration, 'type' | 'passwords'>;

/** The attribute that tells when somebody's password was changed. */
export const changedAttribute = ({ type, passwords }: Directory): string => passwords.changed ?? CHANGED[type];

/** All that are of use for that. */
export function changeAttributes(directory: Directory): string[] {
  const more = directory.passwords.scram === 'learn' ? [ANY_CHANGE, CHANGE_NUMBER] : [];
  return [changedAttribute(directory), ...more];
}

/** By what a password is known again. */
export interface Marks {
  /** Good until the password is another one; undefined where that might not be seen: it was changed a moment ago. */
  readonly lasting: PasswordMark | undefined;
  /** Good until anything of the entry is another one; undefined where the directory does not tell. */
  readonly brief: PasswordMark | undefined;
}

export function marksOf({ id, entry }: Person, settings: Directory, now = Date.now()): Marks {
  const [name, value] =
    changeAttributes(settings)
      .slice(0, 2)
      .map((each) => [each, entry.text(each)] as const)
      .find(([, text]) => text !== undefined) ?? [];
  if (name === undefined || value === undefined) return { lasting: undefined, brief: undefined };
  const changed = `${name}=${value}`;
  const number = entry.text(CHANGE_NUMBER);
  return {
    lasting: isRecent(value, now) ? undefined : { id, changed },
    brief: number === undefined ? undefined : { id, changed: `${changed} ${CHANGE_NUMBER}=${number}` },
  };
}

/** Whether the same might be said of another password. Active Directory counts in ten millionths of a second. */
function isRecent(value: string, now: number): boolean {
  if (/^[0-9]{17,19}$/.test(value)) return false;
  const time = generalizedTime(value);
  return time === undefined || now - time < RECENT_MS;
}
