import { domainToASCII } from 'node:url';
import { Jid } from '@parley/xmpp/jid';
import { escapeLocalPart, unescapeLocalPart } from '@parley/xmpp/jid-escaping';
import type { Entry } from './entry.ts';
import { idAttribute, idOf } from './entry-id.ts';
import type { PasswordPolicy, PersonState } from './person-state.ts';
import type { DirectorySettings } from './settings.ts';

/** An entry that is an account. */
export interface Person {
  /** What tells it apart for ever: its entryUUID, nsUniqueId, objectGUID or ipaUniqueID, in lower case. */
  readonly id: string;
  readonly dn: string;
  readonly account: Jid;
  readonly state: PersonState;
  readonly entry: Entry;
}

/** Why an entry is no account, in words for an operator. */
export class NoPerson {
  readonly kind: 'no id' | 'no address' | 'another domain';
  readonly why: string;

  constructor(kind: NoPerson['kind'], why: string) {
    this.kind = kind;
    this.why = why;
  }
}

/** The person that an entry is; `policy` is that of its password, where the state depends on it. */
export function personOf(
  entry: Entry,
  settings: DirectorySettings,
  policy?: PasswordPolicy,
  now = Date.now(),
): Person | NoPerson {
  const { people, preset, domains } = settings;
  const id = idOf(entry, idAttribute(settings));
  if (id === undefined) return new NoPerson('no id', `has no ${people.id}, by which it would be told apart`);
  const values = entry.texts(people.address);
  if (values.length === 0) return new NoPerson('no address', `has no ${people.address}, which is to be the address`);
  const accounts = values.map((value) => accountOf(value, people.domain));
  const account = accounts.find((each) => each !== undefined && domains.has(each.domain));
  if (account === undefined) {
    const what = `has ${values.map((value) => JSON.stringify(value)).join(', ')} as ${people.address}`;
    if (accounts.every((each) => each === undefined)) return new NoPerson('no address', `${what}, which is no address`);
    const list = [...domains].join(', ') || 'it has none';
    return new NoPerson('another domain', `${what}, which is in no domain of this directory (${list})`);
  }
  return { id, dn: entry.dn, account, state: preset.state.read(entry, now, policy), entry };
}

/** The account that a value of the address attribute names. */
function accountOf(value: string, domain: string | undefined): Jid | undefined {
  const at = domain === undefined ? value.lastIndexOf('@') : value.length;
  const local = escapeLocalPart(value.slice(0, at));
  if (at <= 0 || local === undefined || local === '') return undefined;
  return Jid.tryParse(`${local}@${domain ?? value.slice(at + 1)}`);
}

/**
 * What the address attribute of an account may hold: mail addresses are often written with the ASCII form of a domain that
 * has other characters. None where it cannot be an account of this directory.
 */
export function addressesOf(account: Jid, { people, domains }: DirectorySettings): string[] {
  const { domain } = account;
  if (account.local === '' || !domains.has(domain)) return [];
  const local = unescapeLocalPart(account.local);
  if (people.domain !== undefined) return Jid.tryParse(people.domain)?.domain === domain ? [local] : [];
  return [...new Set([domain, domainToASCII(domain)])].filter((each) => each !== '').map((each) => `${local}@${each}`);
}
