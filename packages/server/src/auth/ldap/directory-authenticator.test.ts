import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { scramHashes } from '@parley/xmpp/sasl/scram-verifier';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Log } from '../../log.ts';
import { type AccountChange, AccountsAway, AccountsBusy } from '../authenticator.ts';
import { PasswordWork } from '../password-work.ts';
import { DirectoryAuthenticator } from './directory-authenticator.ts';
import { DirectoryAway, DirectoryRefused } from './directory-error.ts';
import { FakeDirectory, FakePeople, LOCKED } from './fake-directory.ts';
import { Lookups } from './lookups.ts';
import { bindOutcome } from './passwords/bind-outcome.ts';
import { LearntVerifiers } from './passwords/learnt-verifiers.ts';
import { Learning } from './passwords/scram-source.ts';

const romeo = Jid.parse('romeo@localhost');
const juliet = Jid.parse('juliet@localhost');
const tybalt = Jid.parse('tybalt@localhost');
const nobody = Jid.parse('nobody@localhost');
const LONG_AGO = { pwdChangedTime: '20200101000000Z' };
const wrong = { accepted: false, condition: 'not-authorized' };

let directory: FakeDirectory;
let people: FakePeople;
let accounts: DirectoryAuthenticator;
let changes: AccountChange[];
let work: string[];

class CountedWork extends PasswordWork {
  override run<T>(task: () => Promise<T>): Promise<T> {
    work.push('derivation');
    return super.run(task);
  }
}

async function start(passwords: object = {}): Promise<void> {
  directory = new FakeDirectory(passwords);
  people = new FakePeople();
  changes = [];
  work = [];
  const log = Log.create({ level: 'silent' });
  const lookups = new Lookups({ directory: directory.directory, people, log });
  const secret = Buffer.alloc(32, 1);
  const iterations = () => 4096;
  const { settings } = directory;
  const counted = new CountedWork();
  const { keyspace } = await openEmbedded(undefined, {});
  onTestFinished(() => keyspace.close());
  const learnt = new LearntVerifiers({ keyspace, secret, iterations });
  const scram =
    settings.passwords.scram === 'learn'
      ? new Learning({ settings, learnt, work: counted, secret, iterations })
      : undefined;
  const options = { directory: directory.directory, people, lookups, secret, log, scram, work: counted };
  accounts = new DirectoryAuthenticator(options);
  accounts.onChange((change) => void changes.push(change));
  directory.add(romeo, { attributes: LONG_AGO });
  directory.add(juliet, { attributes: LONG_AGO });
  directory.add(tybalt, { attributes: LONG_AGO, state: { kind: 'locked' }, outcome: LOCKED });
}

beforeEach(() => start());

describe('a password', () => {
  test('is tried at the directory', async () => {
    expect(await accounts.verifyPassword(romeo, 'pw-romeo')).toEqual({ accepted: true });
    expect(await accounts.verifyPassword(romeo, 'pw-juliet')).toEqual(wrong);
    expect(await accounts.verifyPassword(nobody, 'pw-romeo')).toEqual(wrong);
    expect(await accounts.verifyPassword(tybalt, 'pw-tybalt')).toEqual(wrong);
  });

  test('that can be none never gets there', async () => {
    for (const text of ['', 'a\0b', 'x'.repeat(1024), 'ü'.repeat(512)]) {
      expect(await accounts.verifyPassword(romeo, text)).toEqual(wrong);
    }
    expect(directory.asked).toEqual([]);
  });

  test('makes somebody known to all nodes once it was right, and not before', async () => {
    await accounts.verifyPassword(romeo, 'guess');
    expect(people.learn).not.toHaveBeenCalled();
    await accounts.verifyPassword(romeo, 'pw-romeo');
    expect(people.learn).toHaveBeenCalledTimes(1);
    people.learn.mockRejectedValueOnce(new Error('nothing can be kept'));
    expect(await accounts.verifyPassword(romeo, 'pw-romeo')).toEqual({ accepted: true });
  });

  test('cannot be tried while the directory is away, or too many are', async () => {
    directory.away = true;
    await expect(accounts.verifyPassword(romeo, 'pw-romeo')).rejects.toBeInstanceOf(AccountsAway);
    await start({ mostWaiting: 1 });
    const first = accounts.verifyPassword(romeo, 'pw-romeo');
    await expect(accounts.verifyPassword(juliet, 'pw-juliet')).rejects.toBeInstanceOf(AccountsBusy);
    expect(await first).toEqual({ accepted: true });
    directory.add(juliet, { outcome: bindOutcome(52, 'down') });
    await expect(accounts.verifyPassword(juliet, 'pw-juliet')).rejects.toBeInstanceOf(AccountsAway);
  });

  test('that the directory takes although it has expired lets in', async () => {
    directory.add(romeo, {
      state: { kind: 'expired' },
      outcome: bindOutcome(0, '', { graceAuthNsRemaining: 1 } as never),
    });
    expect(await accounts.refusal(romeo)).toMatchObject({ condition: 'credentials-expired' });
    expect(await accounts.verifyPassword(romeo, 'pw-romeo')).toMatchObject({ accepted: true });
    expect(await accounts.refusal(romeo)).toBeUndefined();
    await people.tell({ kind: 'changed', account: romeo, state: { kind: 'disabled' } });
    people.known.set('romeo@localhost', { id: 'id-of-romeo', dn: 'uid=romeo', state: { kind: 'disabled' } });
    expect(await accounts.refusal(romeo)).toMatchObject({ condition: 'account-disabled' });
  });
});

describe('unknown and known, disabled or not', () => {
  test.each(['none', 'learn'])(
    'cost the same and are answered alike before the password is right: %s',
    async (scram) => {
      await start({ scram });
      await accounts.verifyPassword(romeo, 'pw-romeo'); // who has logged in before
      const costs: string[][] = [];
      for (const account of [romeo, juliet, tybalt, nobody]) {
        directory.asked.length = 0;
        work.length = 0;
        expect(await accounts.verifyPassword(account, 'guess')).toEqual(wrong);
        costs.push([...directory.asked, ...work]);
      }
      expect(costs).toEqual(costs.map(() => costs[0]));
      expect(costs[0]?.toSorted()).toEqual(['bindAs', ...(scram === 'learn' ? ['derivation'] : []), 'findPerson']);
      // also once the directory is spared
      for (let i = 0; i < 3; i++) await accounts.verifyPassword(romeo, 'guess');
      directory.asked.length = work.length = 0;
      await accounts.verifyPassword(romeo, 'guess');
      expect([...directory.asked, ...work]).toEqual(costs[0]);
    },
  );

  test('are challenged alike by SCRAM', async () => {
    await start({ scram: 'learn' });
    await accounts.verifyPassword(romeo, 'pw-romeo');
    for (const hash of scramHashes) {
      const real = await accounts.verifier(romeo, hash);
      const pretended = accounts.falseVerifier(nobody, hash);
      expect(real).toBeDefined();
      expect(pretended.iterations).toBe(real?.iterations);
      expect(pretended.salt.length).toBe(real?.salt.length);
      for (const account of [nobody, juliet, tybalt]) expect(await accounts.verifier(account, hash)).toBeUndefined();
    }
  });
});

test('somebody locked is told so once the password is known to be right', async () => {
  await start({ scram: 'learn' });
  directory.add(tybalt, { attributes: LONG_AGO });
  await accounts.verifyPassword(tybalt, 'pw-tybalt');
  directory.add(tybalt, { attributes: LONG_AGO, state: { kind: 'locked' }, outcome: LOCKED });
  expect(await accounts.verifyPassword(tybalt, 'pw-tybalt')).toMatchObject({ condition: 'account-disabled' });
  expect(await accounts.verifyPassword(tybalt, 'guess')).toEqual(wrong);
  // also where the directory says nothing of it
  directory.add(tybalt, { attributes: LONG_AGO, state: { kind: 'locked' }, outcome: bindOutcome(49, '') });
  expect(await accounts.verifyPassword(tybalt, 'pw-tybalt')).toMatchObject({ condition: 'account-disabled' });
  expect(await accounts.verifyPassword(tybalt, 'guess')).toEqual(wrong);
});

test('what was learnt is forgotten once the directory takes the password for wrong, and not at a stranger’s guess', async () => {
  await start({ scram: 'learn' });
  await accounts.verifyPassword(romeo, 'pw-romeo');
  await accounts.verifyPassword(romeo, 'guess');
  expect(await accounts.verifier(romeo, 'SHA-256')).toBeDefined();
  directory.add(romeo, { attributes: LONG_AGO, outcome: bindOutcome(49, '') });
  expect(await accounts.verifyPassword(romeo, 'pw-romeo')).toEqual(wrong);
  expect(await accounts.verifier(romeo, 'SHA-256')).toBeUndefined();
});

describe('strangers who guess', () => {
  const tried = () => directory.names.filter((dn) => dn.startsWith('uid=romeo,')).length;

  test('reach the directory a few times only, and its owner always', async () => {
    await start({ scram: 'learn' });
    await accounts.verifyPassword(romeo, 'pw-romeo');
    directory.names.length = 0;
    for (let i = 0; i < 10; i++) expect(await accounts.verifyPassword(romeo, `guess ${i}`)).toEqual(wrong);
    expect(tried()).toBe(2);
    expect(await accounts.verifyPassword(romeo, 'pw-romeo')).toEqual({ accepted: true });
    await accounts.verifyPassword(romeo, 'guess');
    expect(tried()).toBe(4);
  });

  test('do not keep out somebody whose password was changed', async () => {
    await start({ scram: 'learn' });
    await accounts.verifyPassword(romeo, 'pw-romeo');
    for (let i = 0; i < 10; i++) await accounts.verifyPassword(romeo, `guess ${i}`);
    directory.add(romeo, { attributes: { pwdChangedTime: '20210101000000Z' }, password: 'new' });
    expect(await accounts.verifyPassword(romeo, 'new')).toEqual({ accepted: true });
  });
});

describe('who exists', () => {
  test('is known without the directory', async () => {
    people.known.set('romeo@localhost', { id: '1', dn: 'uid=romeo', state: { kind: 'active' } });
    expect(accounts.exists(romeo)).toBe(true);
    expect(directory.asked).toEqual([]);
  });

  test('may be somebody who was just added, for whom it is asked once', async () => {
    expect(await accounts.exists(juliet)).toBe(true);
    expect(await accounts.exists(nobody)).toBe(false);
    expect(await accounts.exists(juliet)).toBe(true);
    expect(await accounts.exists(nobody)).toBe(false);
    expect(directory.asked).toEqual(['findPerson', 'findPerson']);
    directory.add(nobody);
    await people.tell({ kind: 'added', account: nobody, state: { kind: 'active' } });
    expect(await accounts.exists(nobody)).toBe(true);
  });

  test('is not known of somebody new while the directory is away, unless everybody is known', async () => {
    directory.away = true;
    await expect(accounts.exists(nobody)).rejects.toMatchObject({ condition: 'resource-constraint' });
    people.all = true;
    expect(await accounts.exists(nobody)).toBe(false);
  });

  test('is listed by domain', async () => {
    const listed = await Array.fromAsync(accounts.list('localhost'));
    expect(listed.flat().map(String)).toEqual(['romeo@localhost', 'juliet@localhost', 'tybalt@localhost']);
    expect((await Array.fromAsync(accounts.list('elsewhere'))).flat()).toEqual([]);
  });
});

describe('what changes in the directory', () => {
  test('takes effect on accounts', async () => {
    await people.tell({ kind: 'changed', account: romeo, state: { kind: 'disabled' } });
    await people.tell({ kind: 'changed', account: romeo, state: { kind: 'active' } });
    await people.tell({ kind: 'removed', account: romeo, state: { kind: 'active' } });
    await people.tell({ kind: 'moved', account: juliet, before: romeo, state: { kind: 'active' } });
    await people.tell({ kind: 'moved', account: juliet, before: romeo, state: { kind: 'active' }, elsewhere: true });
    const elsewhere = true;
    const moved = { account: romeo, change: 'moved', to: juliet, reason: expect.stringContaining('juliet@localhost') };
    expect(changes).toEqual([
      { account: romeo, change: 'disabled', reason: 'This account is disabled in the directory.', elsewhere },
      { account: romeo, change: 'enabled', elsewhere },
      { account: romeo, change: 'disabled', reason: 'This account is not in the directory any more.', elsewhere },
      expect.objectContaining(moved), // the node that follows the directory has it done
      expect.objectContaining({ ...moved, elsewhere }),
    ]);
  });

  test('counts for somebody who is known only from then on, too', async () => {
    await people.tell({ kind: 'added', account: romeo, state: { kind: 'active' } });
    await people.tell({ kind: 'added', account: juliet, state: { kind: 'disabled' } });
    expect(changes).toMatchObject([
      { account: romeo, change: 'created' },
      { account: juliet, change: 'disabled' },
    ]);
  });

  test('is told by other nodes as far as nobody else tells it', () => {
    accounts.changedElsewhere({ account: romeo, change: 'password', sessionId: 'one' });
    accounts.changedElsewhere({ account: romeo, change: 'disabled' });
    expect(changes).toEqual([{ account: romeo, change: 'password', sessionId: 'one', elsewhere: true }]);
  });
});

describe('a new password', () => {
  test('goes to the directory, and ends what was learnt', async () => {
    await start({ scram: 'learn' });
    await accounts.verifyPassword(romeo, 'pw-romeo');
    await accounts.setPassword(romeo, 'new', 'a-session');
    expect(directory.changePassword).toHaveBeenCalledWith('uid=romeo,ou=people,dc=example', { new: 'new' });
    expect(await accounts.verifier(romeo, 'SHA-256')).toBeUndefined();
    expect(changes).toEqual([{ account: romeo, change: 'password', sessionId: 'a-session' }]);
  });

  test.each([
    [new DirectoryRefused(19, 'Password fails quality checking policy'), 'not-acceptable', /quality checking policy/],
    [new DirectoryRefused(50, ''), 'not-allowed', /does not let it be changed here/],
    [new DirectoryAway('gone'), 'resource-constraint', /cannot be looked up/],
  ])('is refused in words: %s', async (error, condition, words) => {
    directory.changePassword.mockRejectedValueOnce(error);
    const refused = accounts.setPassword(romeo, 'new', 'a-session');
    await expect(refused).rejects.toMatchObject({ condition, text: expect.stringMatching(words) });
    expect(changes).toEqual([]);
  });

  test('needs the old one where people change it themselves', async () => {
    await start({ change: 'person' });
    await expect(accounts.setPassword(romeo, 'new', 'a-session')).rejects.toMatchObject({
      condition: 'not-authorized',
    });
    await accounts.setPassword(romeo, 'new', 'a-session', 'pw-romeo');
    directory.changePassword.mockRejectedValueOnce(new DirectoryRefused(49, ''));
    const refused = accounts.setPassword(romeo, 'new', 'a-session', 'guess');
    await expect(refused).rejects.toMatchObject({ condition: 'not-authorized', text: 'The old password is wrong.' });
    const passwords = { old: 'pw-romeo', new: 'new' };
    expect(directory.changePassword).toHaveBeenCalledWith('uid=romeo,ou=people,dc=example', passwords);
  });

  test('is not taken where it is changed elsewhere, nor for nobody', async () => {
    await expect(accounts.setPassword(nobody, 'new')).rejects.toMatchObject({ condition: 'item-not-found' });
    await start({ change: 'none' });
    await expect(accounts.setPassword(romeo, 'new')).rejects.toMatchObject({ condition: 'not-allowed' });
    expect(directory.changePassword).not.toHaveBeenCalled();
  });
});

test.each([
  [{}, ['PLAIN']],
  [
    { scram: 'learn', hashes: ['SHA-1'] },
    ['PLAIN', ...scramHashes.flatMap((hash) => [`SCRAM-${hash}`, `SCRAM-${hash}-PLUS`])],
  ],
])('what can be offered follows from the configuration: %j', async (passwords, expected) => {
  await start(passwords);
  expect([...accounts.mechanisms()].sort()).toEqual([...expected].sort());
  expect(accounts.creates()).toBe(false);
});
