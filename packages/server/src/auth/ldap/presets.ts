import type { DIRECTORY_TYPES } from '../../config/directory.ts';
import type { Entry } from './directory.ts';
import type { PersonState } from './person-state.ts';

export type DirectoryType = (typeof DIRECTORY_TYPES)[number];

/** What is usual in one kind of directory. */
export interface DirectoryPreset {
  readonly type: DirectoryType;
  /** Which entries are people, as RFC 4515 writes it. */
  readonly peopleFilter: string;
  /** The attribute that tells an entry apart for ever. */
  readonly id: string;
  /** How the bytes of the id are written. */
  readonly idForm: 'text' | 'guid';
  /** What the state of a person is read from: operational attributes, which only come where they are named. */
  readonly stateAttributes: readonly string[];
  readonly state: (entry: Entry, now: number) => PersonState;
}

const active = (): PersonState => ({ kind: 'active' });

export const presets: Readonly<Record<DirectoryType, DirectoryPreset>> = {
  openldap: {
    type: 'openldap',
    peopleFilter: '(objectClass=inetOrgPerson)',
    id: 'entryUUID',
    idForm: 'text',
    stateAttributes: ['pwdAccountLockedTime'],
    state: (entry) => (entry.text('pwdAccountLockedTime') === undefined ? active() : { kind: 'locked' }),
  },
  '389ds': {
    type: '389ds',
    peopleFilter: '(objectClass=inetOrgPerson)',
    id: 'nsUniqueId',
    idForm: 'text',
    stateAttributes: ['nsAccountLock'],
    state: (entry) => (/^true$/i.test(entry.text('nsAccountLock') ?? '') ? { kind: 'disabled' } : active()),
  },
  freeipa: {
    type: 'freeipa',
    peopleFilter: '(objectClass=posixAccount)',
    id: 'ipaUniqueID',
    idForm: 'text',
    stateAttributes: ['nsAccountLock'],
    state: (entry) => (/^true$/i.test(entry.text('nsAccountLock') ?? '') ? { kind: 'disabled' } : active()),
  },
  activeDirectory: {
    type: 'activeDirectory',
    peopleFilter: '(&(objectCategory=person)(objectClass=user))',
    id: 'objectGUID',
    idForm: 'guid',
    stateAttributes: ['userAccountControl'],
    state: (entry) => ((Number(entry.text('userAccountControl')) & 2) === 2 ? { kind: 'disabled' } : active()),
  },
};
