import { Jid } from '@parley/xmpp/jid';
import type { ScramRelay } from '@parley/xmpp/sasl/mechanism';
import type { ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AccountSources } from './account-sources.ts';
import { type AccountChange, AccountsAway, type Authenticator, type PasswordMechanism } from './authenticator.ts';

const romeo = Jid.parse('romeo@localhost');
const juliet = Jid.parse('juliet@localhost');
const nobody = Jid.parse('nobody@localhost');

/** Accounts whose password is the name of their source. */
class Fake implements Authenticator {
  readonly asked: string[] = [];
  readonly accounts: Set<string>;
  readonly name: string;
  readonly carried: ReadonlySet<PasswordMechanism>;
  away = false;
  tell: (change: AccountChange) => unknown = () => undefined;
  relay?: Authenticator['relay'];
  create?: Authenticator['create'];
  remove?: Authenticator['remove'];
  removeRemains?: Authenticator['removeRemains'];
  setPassword?: Authenticator['setPassword'];

  constructor(name: string, accounts: Jid[], carried: PasswordMechanism[]) {
    this.name = name;
    this.accounts = new Set(accounts.map(String));
    this.carried = new Set(carried);
  }

  async exists(account: Jid) {
    this.asked.push('exists');
    if (this.away) throw new AccountsAway();
    return this.accounts.has(account.bareText);
  }

  refusal = () => ({ condition: 'account-disabled', text: this.name }) as const;
  mechanisms = () => this.carried;
  creates = () => this.create !== undefined;
  notice = () => this.name;

  async verifyPassword(account: Jid, password: string) {
    this.asked.push('verifyPassword');
    if (this.accounts.has(account.bareText) && password === this.name) return { accepted: true } as const;
    return { accepted: false, condition: 'not-authorized' } as const;
  }

  verifier = (account: Jid) => (this.accounts.has(account.bareText) ? this.falseVerifier() : undefined);
  falseVerifier = () => ({ salt: Buffer.from(this.name) }) as ScramVerifier;

  async *list() {
    yield [...this.accounts].map((text) => Jid.parse(text));
  }

  onChange(listener: (change: AccountChange) => unknown) {
    this.tell = listener;
  }

  changedElsewhere = vi.fn();
}

let internal: Fake;
let directory: Fake;
let changes: AccountChange[];
let sources: AccountSources;
let order: string[];

beforeEach(() => {
  internal = new Fake('internal', [romeo], ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']);
  directory = new Fake('directory', [romeo, juliet], ['PLAIN', 'SCRAM-SHA-256']);
  order = ['internal', 'directory'];
  changes = [];
  sources = new AccountSources({
    sources: new Map([
      ['internal', internal],
      ['directory', directory],
    ]),
    of: (domain) => (domain === 'localhost' ? order : []),
    secret: Buffer.from('secret'),
  });
  sources.onChange((change) => void changes.push(change));
});

describe('the first source that knows the account', () => {
  test('decides', async () => {
    expect(await sources.verifyPassword(romeo, 'internal')).toEqual({ accepted: true });
    expect(await sources.verifyPassword(romeo, 'directory')).toMatchObject({ accepted: false });
    expect(await sources.verifyPassword(juliet, 'directory')).toEqual({ accepted: true });
    expect(await sources.refusal(romeo)).toMatchObject({ text: 'internal' });
    expect(await sources.refusal(juliet)).toMatchObject({ text: 'directory' });
    expect(await sources.notice(juliet)).toBe('directory');
    expect(String((await sources.verifier(romeo, 'SHA-1'))?.salt)).toBe('internal');
    order = ['directory', 'internal'];
    expect(await sources.verifyPassword(romeo, 'directory')).toEqual({ accepted: true });
  });

  test('is the only one that does, where it is the only one', async () => {
    order = ['directory'];
    expect(await sources.verifyPassword(romeo, 'internal')).toMatchObject({ accepted: false });
    expect(await sources.exists(nobody)).toBe(false);
    expect(internal.asked).toEqual([]);
  });

  test('is found in spite of a later one that is away, and not in spite of an earlier one', async () => {
    directory.away = true;
    expect(await sources.verifyPassword(romeo, 'internal')).toEqual({ accepted: true });
    await expect(sources.verifyPassword(juliet, 'directory')).rejects.toBeInstanceOf(AccountsAway);
    order = ['directory', 'internal'];
    await expect(sources.verifyPassword(romeo, 'internal')).rejects.toBeInstanceOf(AccountsAway);
  });

  test('gives the salt of somebody for whom it has nothing yet, too', async () => {
    const people = Array.from({ length: 20 }, (_, index) => Jid.of(`somebody${index}`, 'localhost'));
    for (const account of people) directory.accounts.add(account.bareText);
    directory.verifier = () => undefined;
    for (const account of people) {
      const verifier = (await sources.verifier(account, 'SHA-1')) ?? sources.falseVerifier(account, 'SHA-1');
      expect(String(verifier.salt)).toBe('directory');
    }
  });

  test('speaks SCRAM in its own way', async () => {
    const relay = {} as ScramRelay;
    expect(await sources.relay(juliet, 'SHA-256')).toBeUndefined();
    directory.relay = () => relay;
    expect(await sources.relay(juliet, 'SHA-256')).toBe(relay);
    expect(await sources.relay(romeo, 'SHA-256')).toBeUndefined();
  });
});

test('what is asked about somebody’s password is asked of whoever decides on the account', async () => {
  const better = { hash: 'SHA-256', iterations: 5000 } as ScramVerifier;
  Object.assign(internal, {
    upgrades: () => ['SHA-256'],
    upgrade: () => better,
    keepUpgraded: async () => true,
  } satisfies Partial<Authenticator>);
  Object.assign(directory, {
    renews: () => true,
    renewal: () => ({ byOld: true }),
    passwordMark: () => 'a time',
  } satisfies Partial<Authenticator>);
  expect([sources.upgrades('localhost'), sources.upgrades('elsewhere')]).toEqual([['SHA-256'], []]);
  expect(await sources.upgrade(romeo, 'SHA-256')).toBe(better);
  expect(await sources.keepUpgraded(romeo, better, better)).toBe(true);
  expect([sources.renews('localhost'), sources.renews('elsewhere')]).toEqual([true, false]);
  expect([await sources.renewal(juliet), await sources.passwordMark(juliet)]).toEqual([{ byOld: true }, 'a time']);
  for (const account of [juliet, nobody]) {
    expect(await sources.upgrade(account, 'SHA-256')).toBeUndefined();
    expect(await sources.keepUpgraded(account, better, better)).toBe(false);
  }
  for (const account of [romeo, nobody]) {
    expect([await sources.renewal(account), await sources.passwordMark(account)]).toEqual([undefined, undefined]);
  }
});

test('what nobody has any more can be taken away, and what somebody has cannot', async () => {
  const left = new Set([String(nobody), String(juliet)]);
  internal.removeRemains = async (account) => left.delete(account.bareText);
  await sources.remove(nobody);
  expect(changes).toEqual([{ account: nobody, change: 'removed' }]);
  await expect(sources.remove(nobody)).rejects.toMatchObject({ condition: 'item-not-found' });
  await expect(sources.remove(juliet)).rejects.toMatchObject({ condition: 'not-allowed' });
  directory.away = true;
  await expect(sources.remove(nobody)).rejects.toBeInstanceOf(AccountsAway);
  expect([...left]).toEqual([String(juliet)]);
});

test('what only some sources carry is not offered', () => {
  expect([...sources.mechanisms('localhost')]).toEqual(['PLAIN', 'SCRAM-SHA-256']);
  expect(sources.mechanisms('localhost')).toBe(sources.mechanisms('localhost'));
  order = ['internal'];
  expect(sources.mechanisms('localhost')).toBe(internal.carried);
  expect([...sources.mechanisms('elsewhere')]).toEqual([]);
});

describe('somebody unknown', () => {
  test('is treated in the manner of one source, always the same one', async () => {
    const names = Array.from({ length: 40 }, (_, index) => Jid.of(`nobody${index}`, 'localhost'));
    const manners = new Set<string>();
    for (const account of names) {
      const manner = String(sources.falseVerifier(account, 'SHA-1').salt);
      manners.add(manner);
      internal.asked.length = directory.asked.length = 0;
      expect(await sources.verifyPassword(account, 'guess')).toEqual({ accepted: false, condition: 'not-authorized' });
      const dealt = [internal, directory].filter(({ asked }) => asked.includes('verifyPassword'));
      expect(dealt.map(({ name }) => name)).toEqual([manner]);
      expect(await sources.verifier(account, 'SHA-1')).toBeUndefined();
    }
    expect(manners).toEqual(new Set(['internal', 'directory']));
  });

  test('takes as many questions as somebody known', async () => {
    for (const account of [romeo, juliet, nobody]) {
      internal.asked.length = directory.asked.length = 0;
      await sources.verifyPassword(account, 'guess');
      const questions = [...internal.asked, ...directory.asked].sort();
      expect(questions).toEqual(['exists', 'exists', 'verifyPassword']);
    }
  });

  test('is not let in anywhere', async () => {
    expect(await sources.refusal(nobody)).toEqual({ condition: 'not-authorized' });
    expect(await sources.verifyPassword(Jid.parse('romeo@elsewhere'), 'internal')).toMatchObject({ accepted: false });
  });
});

describe('changes', () => {
  test('are made where the account is kept', async () => {
    internal.setPassword = vi.fn(async () => {});
    await sources.setPassword(romeo, 'new', 'a-session', 'old');
    expect(internal.setPassword).toHaveBeenCalledWith(romeo, 'new', 'a-session', 'old');
    await expect(sources.setPassword(juliet, 'new')).rejects.toMatchObject({ condition: 'not-allowed' });
    await expect(sources.remove(romeo)).rejects.toMatchObject({ condition: 'not-allowed' });
    await expect(sources.disable(nobody)).rejects.toMatchObject({ condition: 'item-not-found' });
  });

  test('new accounts come where they can be made, and nobody takes a name that is known', async () => {
    expect(sources.creates('localhost')).toBe(false);
    await expect(sources.create(nobody, 'new')).rejects.toMatchObject({ condition: 'not-allowed' });
    internal.create = vi.fn(async () => {});
    expect(sources.creates('localhost')).toBe(true);
    await sources.create(nobody, 'new');
    expect(internal.create).toHaveBeenCalledWith(nobody, 'new');
    await expect(sources.create(juliet, 'new')).rejects.toMatchObject({ condition: 'conflict' });
    order = ['directory'];
    expect(sources.creates('localhost')).toBe(false);
  });

  test('count where they are made by the source that decides', async () => {
    await internal.tell({ account: romeo, change: 'disabled' });
    await directory.tell({ account: romeo, change: 'removed' });
    await directory.tell({ account: juliet, change: 'removed' });
    order = ['internal'];
    await directory.tell({ account: juliet, change: 'removed' });
    expect(changes).toEqual([
      { account: romeo, change: 'disabled', source: 'internal' },
      { account: juliet, change: 'removed', source: 'directory' },
    ]);
  });

  test('of other nodes go to the source whose they are', () => {
    const change = { account: romeo, change: 'password', source: 'directory' } as const;
    sources.changedElsewhere(change);
    expect(directory.changedElsewhere).toHaveBeenCalledWith(change);
    expect(internal.changedElsewhere).not.toHaveBeenCalled();
  });
});

test('every account is listed once, by the source that decides', async () => {
  const listed: string[] = [];
  for await (const page of sources.list('localhost')) listed.push(...page.map(String));
  expect(listed.sort()).toEqual(['juliet@localhost', 'romeo@localhost']);
});
