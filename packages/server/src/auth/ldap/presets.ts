import type { DIRECTORY_TYPES } from '../../config/directory.ts';
import { type StateRules, stateRules } from './person-state.ts';

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
  readonly state: StateRules;
  /** How passwords are set: by the extended operation of RFC 3062, or in Active Directory's attribute. */
  readonly passwordChange: 'extended-operation' | 'unicodePwd';
  /** Whoever has a password that has expired may still change it. */
  readonly expiredCanChange: boolean;
}

export const presets: Readonly<Record<DirectoryType, DirectoryPreset>> = {
  openldap: {
    type: 'openldap',
    peopleFilter: '(objectClass=inetOrgPerson)',
    id: 'entryUUID',
    idForm: 'text',
    state: stateRules.openldap,
    passwordChange: 'extended-operation',
    expiredCanChange: false,
  },
  '389ds': {
    type: '389ds',
    peopleFilter: '(objectClass=inetOrgPerson)',
    id: 'nsUniqueId',
    idForm: 'text',
    state: stateRules['389ds'],
    passwordChange: 'extended-operation',
    expiredCanChange: false,
  },
  freeipa: {
    type: 'freeipa',
    peopleFilter: '(&(objectClass=person)(objectClass=posixAccount))',
    id: 'ipaUniqueID',
    idForm: 'text',
    state: stateRules.freeipa,
    passwordChange: 'extended-operation',
    expiredCanChange: true,
  },
  activeDirectory: {
    type: 'activeDirectory',
    peopleFilter: '(&(objectClass=user)(!(objectClass=computer)))',
    id: 'objectGUID',
    idForm: 'guid',
    state: stateRules.activeDirectory,
    passwordChange: 'unicodePwd',
    expiredCanChange: true,
  },
};
