import { Jid } from '@parley/xmpp/jid';
import { EqualityFilter, OrFilter, PresenceFilter } from 'ldapts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import type { BindOutcome } from '../passwords/bind-outcome.ts';
import { addressesOf, NoPerson } from '../person.ts';
import type { PersonState } from '../person-state.ts';
import { counted, type Finding, failed, note, ok } from './finding.ts';
import { examineGroups } from './person-groups.ts';

const anything = new PresenceFilter({ attribute: 'objectClass' });

/** Looks for somebody by address or any name, and at what the directory says of them. */
export async function* examineUser(directory: Directory, user: string, password?: string): AsyncGenerator<Finding> {
  const account = user.includes('@') ? Jid.tryParse(user) : undefined;
  const found = account === undefined ? undefined : await directory.findPerson(account);
  const entry = found?.entry ?? (yield* onlyEntry(directory, user, account));
  if (entry === undefined) return;
  const person = await directory.person(entry);
  if (person instanceof NoPerson) {
    yield failed(`is ${entry.dn}, which is no account, since it ${person.why}`);
    return;
  }
  const { address, id } = directory.settings.people;
  yield ok(`is ${person.dn}; ${address} makes it ${person.account.bareText}, ${id} is ${person.id}`);
  if (account !== undefined && person.account.bareText !== account.bareText) {
    yield failed(`logs in as ${person.account.bareText}, and not as ${account.bareText}`);
  }
  yield stateWords(person.state);
  const { groups } = directory.settings;
  if (groups === undefined) yield await namedGroups(directory, entry);
  else yield* examineGroups(directory, person, groups);
  if (password !== undefined) yield passwordWords(await directory.bindAs(person.dn, password));
}

/** What the entry itself says, where no groups are configured. */
async function namedGroups(directory: Directory, { dn }: Entry): Promise<Finding> {
  const [entry] = await directory.search(dn, { scope: 'base', filter: anything, attributes: ['memberOf'] });
  const groups = entry?.texts('memberOf') ?? [];
  if (groups.length === 0) return note('is in no group, as memberOf tells');
  return note(`is in ${counted(groups.length, 'group')}: ${groups.join('; ')}`);
}

/** Looks for somebody by any name, to tell why they are no account. */
async function* onlyEntry(
  directory: Directory,
  user: string,
  account: Jid | undefined,
): AsyncGenerator<Finding, Entry | undefined> {
  const { settings } = directory;
  const { people } = settings;
  if (account !== undefined && addressesOf(account, settings).length === 0) {
    yield failed(`is in no domain of this directory (${[...settings.domains].join(', ') || 'none'}): see \`accounts\``);
    return undefined;
  }
  const name = user.replace(/@.*$/s, '');
  const named = ['uid', 'cn', 'sAMAccountName'].map((attribute) => new EqualityFilter({ attribute, value: name }));
  const mailed = [people.address, 'mail'].map((attribute) => new EqualityFilter({ attribute, value: user }));
  const filter = new OrFilter({ filters: [...named, ...mailed] });
  const options = { filter, attributes: [...people.attributes, 'objectClass'], sizeLimit: 10 };
  const entries = await directory.search(people.base, options);
  const [entry] = entries;
  if (entry === undefined) {
    yield failed(
      `is not below ${people.base}, neither by ${people.address} nor by name: correct \`people.base\`, or add the entry`,
    );
    return undefined;
  }
  if (entries.length > 1) {
    const list = entries.map(
      (each) => `${each.dn} (${each.texts(people.address).join(', ') || `no ${people.address}`})`,
    );
    yield failed(`may be any of ${list.join('; ')}: whoever has an address for several entries is none of them`);
    return undefined;
  }
  const [wanted] = await directory.search(entry.dn, { scope: 'base', filter: people.filter, attributes: ['1.1'] });
  if (wanted !== undefined) return entry;
  const classes = entry.texts('objectClass').join(', ');
  yield failed(`is ${entry.dn} (${classes}), which ${people.filter} does not fit: correct \`people.filter\``);
  return undefined;
}

function stateWords(state: PersonState): Finding {
  const time = (at: number | undefined) => (at === undefined ? '' : ` until ${new Date(at).toISOString()}`);
  if (state.kind === 'active') return ok(`may log in${time(state.expiresAt)}`);
  const words = {
    disabled: 'is disabled',
    locked: 'is locked',
    expired: 'has a password that has expired',
    'must-change': 'has to change the password before anything else',
  };
  return failed(`${words[state.kind]}${time(state.until)}: change that in the directory`);
}

function passwordWords({ kind, code, diagnostic, policy }: BindOutcome): Finding {
  const said = `${code}${diagnostic && `, "${diagnostic}"`}`;
  switch (kind) {
    case 'accepted':
      return ok('the password is right');
    case 'grace':
      return note(`the password has expired, but is taken ${counted(policy?.graceLeft ?? 0, 'time')} more`);
    case 'expiring':
      return note(`the password is right for ${Math.ceil((policy?.expiresInSeconds ?? 0) / 86_400)} days more`);
    case 'must-change':
      return failed('the password is right, but has to be changed first');
    case 'expired':
      return failed('the password has expired: it has to be changed');
    case 'locked':
    case 'disabled':
      return failed(`the account is ${kind} (${said}): change that in the directory`);
    case 'wrong':
    case 'unknown':
      return failed(`the password is not right (${said})`);
    case 'away':
      return failed(`the directory does not say (${said}): see what its log says`);
  }
}
