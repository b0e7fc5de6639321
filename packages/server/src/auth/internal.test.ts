import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import {
  deriveScramVerifier,
  type ScramParameters,
  type ScramVerifier,
  scramHashes,
} from '@parley/xmpp/sasl/scram-verifier';
import { beforeEach, describe, expect, test } from 'vitest';
import { AccountStore, accountKeys } from './account-store.ts';
import { type AccountChange, AccountsBusy } from './authenticator.ts';
import { InternalAuthenticator } from './internal.ts';
import { PasswordWork } from './password-work.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const romeo = Jid.parse('romeo@montague.lit');
const disabled = { condition: 'account-disabled' };

let keyspace: Awaited<ReturnType<typeof openEmbedded>>['keyspace'];
let store: AccountStore;
let accounts: InternalAuthenticator;
let changes: AccountChange[];
let reads: number;

beforeEach(async () => {
  ({ keyspace } = await openEmbedded(undefined, {}));
  store = new AccountStore(keyspace);
  reads = 0;
  const find = store.find.bind(store);
  store.find = (account) => {
    reads++;
    return find(account);
  };
  accounts = make();
  changes = [];
  accounts.onChange((change) => void changes.push(change));
  return () => keyspace.close();
});

const make = (work?: PasswordWork) =>
  new InternalAuthenticator({ store, secret: Buffer.from('secret'), iterations: () => 4096, work });

test('the mark of a password changes with it, and with nothing else', async () => {
  const marks: unknown[] = [await accounts.passwordMark(juliet)];
  const note = async () => marks.push(await accounts.passwordMark(juliet));
  await accounts.create(juliet, 'Wherefore?');
  await note();
  await accounts.disable(juliet);
  await accounts.enable(juliet);
  const [proved] = await accounts.secretsOf(juliet);
  await accounts.keepUpgraded(juliet, { ...(proved as ScramVerifier), hash: 'SHA-512' }, proved as ScramVerifier);
  await note();
  await accounts.setPassword(juliet, 'Wherefore?');
  await note();
  await accounts.remove(juliet);
  await note();
  await accounts.create(juliet, 'Wherefore?');
  await note();
  const [none, first, still, second, gone, third] = marks;
  expect([none, gone, still]).toEqual([undefined, undefined, first]);
  expect(new Set([undefined, first, second, third]).size).toBe(4);
});

describe('an account', () => {
  test('is made once, with a password in every form', async () => {
    await accounts.create(juliet, 'Wherefore?');
    expect(await accounts.exists(juliet)).toBe(true);
    expect(await accounts.refusal(juliet)).toBeUndefined();
    expect(await accounts.verifyPassword(juliet, 'Wherefore?')).toMatchObject({ accepted: true });
    expect(await accounts.verifyPassword(juliet, 'wherefore?')).toMatchObject({ accepted: false });
    for (const hash of scramHashes) expect(await accounts.verifier(juliet, hash)).toMatchObject({ hash });
    await expect(accounts.create(juliet, 'mine')).rejects.toMatchObject({ condition: 'conflict' });
    expect(await accounts.verifyPassword(juliet, 'Wherefore?')).toMatchObject({ accepted: true });
    expect(changes).toEqual([{ account: juliet, change: 'created' }]);
  });

  test.each(['', 'a\tb', 'x'.repeat(1024)])('is not made with a password that is none', async (password) => {
    await expect(accounts.create(juliet, password)).rejects.toMatchObject({ condition: 'not-acceptable' });
    expect(await accounts.exists(juliet)).toBe(false);
    expect(changes).toEqual([]);
  });

  test.each(['capulet.lit', 'juliet@capulet.lit/balcony'])('is a bare address with a name: not %s', async (text) => {
    await expect(accounts.create(Jid.parse(text), 'secret')).rejects.toMatchObject({ condition: 'jid-malformed' });
  });

  test('gets another password, and the old one is worth nothing', async () => {
    await accounts.create(juliet, 'old');
    await accounts.verifyPassword(juliet, 'old'); // now it is known
    await accounts.setPassword(juliet, 'new', 'a-session');
    expect(await accounts.verifyPassword(juliet, 'old')).toMatchObject({ accepted: false });
    expect(await accounts.verifyPassword(juliet, 'new')).toMatchObject({ accepted: true });
    expect(changes.at(-1)).toEqual({ account: juliet, change: 'password', sessionId: 'a-session' });
  });

  test('is disabled and enabled', async () => {
    await accounts.create(juliet, 'secret');
    await accounts.disable(juliet);
    expect([await accounts.exists(juliet), await accounts.refusal(juliet)]).toEqual([true, disabled]);
    expect(await accounts.verifyPassword(juliet, 'secret')).toMatchObject({ accepted: true }); // that is said only to who knows it
    await accounts.enable(juliet);
    expect(await accounts.refusal(juliet)).toBeUndefined();
    expect(changes.map(({ change }) => change)).toEqual(['created', 'disabled', 'enabled']);
  });

  test('is removed; whoever listens finds it disabled, and its data there still', async () => {
    await accounts.create(juliet, 'secret');
    const asked: Promise<unknown>[] = [];
    accounts.onChange(({ change }) => {
      if (change !== 'removed') return;
      asked.push(keyspace.hget(accountKeys.key('juliet@capulet.lit'), 'disabled').then(String));
      asked.push(Promise.resolve(accounts.refusal(juliet)));
    });
    await accounts.remove(juliet);
    expect(await Promise.all(asked)).toEqual(['1', disabled]);
    expect(await accounts.exists(juliet)).toBe(false);
    expect(changes.at(-1)).toMatchObject({ account: juliet, change: 'removed' });
  });

  test('that nobody has is not changed', async () => {
    const changing = [
      () => accounts.setPassword(juliet, 'secret'),
      () => accounts.disable(juliet),
      () => accounts.enable(juliet),
      () => accounts.remove(juliet),
    ];
    for (const change of changing) await expect(change()).rejects.toMatchObject({ condition: 'item-not-found' });
    expect(await accounts.exists(juliet)).toBe(false);
    expect(changes).toEqual([]);
  });
});

describe('the keyspace', () => {
  test('is not asked again for what is known', async () => {
    await accounts.create(juliet, 'secret');
    await accounts.exists(juliet);
    await accounts.exists(romeo);
    const before = reads;
    expect(accounts.exists(juliet)).toBe(true);
    expect(accounts.refusal(juliet)).toBeUndefined();
    expect(accounts.verifier(juliet, 'SHA-1')).toMatchObject({ hash: 'SHA-1' });
    expect(accounts.exists(romeo)).toBe(false);
    expect(reads).toBe(before);
  });

  test('is asked again after a change elsewhere', async () => {
    await accounts.create(juliet, 'secret');
    await accounts.exists(juliet);
    await store.setDisabled(juliet, true);
    expect(await accounts.refusal(juliet)).toBeUndefined();
    accounts.forget(juliet);
    expect(await accounts.refusal(juliet)).toEqual(disabled);
  });

  test('that is away lets nobody in', async () => {
    await keyspace.close();
    await expect(accounts.exists(juliet)).rejects.toMatchObject({ name: 'KeyspaceError' });
    await expect(accounts.verifyPassword(juliet, 'secret')).rejects.toMatchObject({ name: 'KeyspaceError' });
  });

  test('that is damaged lets nobody in', async () => {
    await accounts.create(juliet, 'secret');
    await keyspace.hset(accountKeys.key('juliet@capulet.lit'), [['SHA-256', 'garbage']]);
    await expect(accounts.verifyPassword(juliet, 'secret')).rejects.toMatchObject({ failure: 'damaged' });
  });
});

describe('nobody', () => {
  test('looks like somebody', async () => {
    await accounts.create(juliet, 'secret');
    for (const hash of scramHashes) {
      const real = await accounts.verifier(juliet, hash);
      const pretended = accounts.falseVerifier(romeo, hash);
      expect(pretended.iterations).toBe(real?.iterations);
      expect(pretended.salt.length).toBe(real?.salt.length);
      expect(pretended).toEqual(make().falseVerifier(romeo, hash));
      expect(pretended.salt).not.toEqual(accounts.falseVerifier(Jid.parse('tybalt@capulet.lit'), hash).salt);
      expect(await accounts.verifier(romeo, hash)).toBeUndefined();
    }
  });

  test('is challenged by the salt that they will have, and whoever has another password still has it', async () => {
    const pretended = scramHashes.map((hash) => accounts.falseVerifier(juliet, hash).salt);
    for (const password of ['secret', 'another']) {
      if (await accounts.exists(juliet)) await accounts.setPassword(juliet, password);
      else await accounts.create(juliet, password);
      const salts = await Promise.all(scramHashes.map(async (hash) => (await accounts.verifier(juliet, hash))?.salt));
      expect(salts).toEqual(pretended);
    }
  });

  test('has a password', async () => {
    expect(await accounts.verifyPassword(romeo, 'secret')).toMatchObject({ accepted: false });
  });

  test('is worth as much work as somebody', async () => {
    const work = new PasswordWork();
    let done = 0;
    const run = work.run.bind(work);
    work.run = (task) => {
      done++;
      return run(task);
    };
    const counted = make(work);
    await counted.create(juliet, 'secret');
    done = 0;
    await counted.verifyPassword(juliet, 'guess');
    await counted.verifyPassword(romeo, 'guess');
    expect(done).toBe(2);
  });
});

test('more passwords than can be checked are refused', async () => {
  const busy = make(new PasswordWork({ concurrent: 1, mostWaiting: 0 }));
  await busy.create(juliet, 'secret');
  await busy.exists(juliet);
  const first = busy.verifyPassword(juliet, 'secret');
  await expect(busy.verifyPassword(juliet, 'secret')).rejects.toBeInstanceOf(AccountsBusy);
  await expect(busy.setPassword(juliet, 'another')).rejects.toMatchObject({ condition: 'resource-constraint' });
  expect(await first).toEqual({ accepted: true });
});

describe('verifiers of a password that stays', () => {
  let iterations = 4096;
  const raised = () =>
    new InternalAuthenticator({ store, secret: Buffer.from('secret'), iterations: () => iterations });
  const counts = async (by: InternalAuthenticator) =>
    Promise.all(scramHashes.map(async (hash) => (await by.verifier(juliet, hash))?.iterations));

  beforeEach(async () => {
    iterations = 4096;
    await accounts.create(juliet, 'secret');
    accounts = raised();
    changes = [];
    accounts.onChange((change) => void changes.push(change));
  });

  test('are better where there are none, or with fewer iterations than are wanted', async () => {
    expect(accounts.upgrades()).toEqual(['SHA-512', 'SHA-256']);
    expect(await accounts.upgrade(juliet, 'SHA-512')).toBeUndefined();
    await keyspace.hdel(accountKeys.key('juliet@capulet.lit'), 'SHA-512');
    accounts.forget(juliet);
    const { salt } = accounts.falseVerifier(juliet, 'SHA-512');
    expect(await accounts.upgrade(juliet, 'SHA-512')).toEqual({ hash: 'SHA-512', salt, iterations: 4096 });
    expect(await accounts.upgrade(juliet, 'SHA-256')).toBeUndefined();
    iterations = 5000;
    expect(await accounts.upgrade(juliet, 'SHA-256')).toMatchObject({ iterations: 5000 });
    expect(await accounts.upgrade(romeo, 'SHA-256')).toBeUndefined();
  });

  test('are kept, and every node is told, unless the password is another one by now', async () => {
    const proved = (await accounts.verifier(juliet, 'SHA-1')) as ScramVerifier;
    iterations = 5000;
    const parameters = (await accounts.upgrade(juliet, 'SHA-256')) as ScramParameters;
    const better = await deriveScramVerifier('secret', 'SHA-256', parameters);
    expect(await accounts.keepUpgraded(juliet, better, proved)).toBe(true);
    expect(await counts(accounts)).toEqual([4096, 5000, 4096]);
    expect(changes).toEqual([{ account: juliet, change: 'upgraded' }]);
    await accounts.setPassword(juliet, 'another');
    expect(await accounts.keepUpgraded(juliet, better, proved)).toBe(false);
    expect(await accounts.verifyPassword(juliet, 'secret')).toMatchObject({ accepted: false });
    expect(await accounts.keepUpgraded(romeo, better, proved)).toBe(false);
  });

  test('come from a login by PLAIN, all of them', async () => {
    iterations = 5000;
    expect(await accounts.verifyPassword(juliet, 'guess')).toMatchObject({ accepted: false });
    expect(await counts(accounts)).toEqual([4096, 4096, 4096]);
    expect(await accounts.verifyPassword(juliet, 'secret')).toEqual({ accepted: true });
    expect(await counts(accounts)).toEqual([5000, 5000, 5000]);
    expect(changes).toEqual([{ account: juliet, change: 'upgraded' }]);
    expect(await accounts.verifyPassword(juliet, 'secret')).toEqual({ accepted: true });
    expect(changes).toHaveLength(1);
  });

  test('may be that of the oldest hash alone', async () => {
    await keyspace.hdel(accountKeys.key('juliet@capulet.lit'), 'SHA-512', 'SHA-256');
    accounts.forget(juliet);
    expect(await accounts.verifyPassword(juliet, 'guess')).toMatchObject({ accepted: false });
    expect(await accounts.verifyPassword(juliet, 'secret')).toEqual({ accepted: true });
    expect(await counts(accounts)).toEqual([4096, 4096, 4096]);
  });

  test('that cannot be kept keep nobody out', async () => {
    iterations = 5000;
    store.addVerifiers = () => Promise.reject(new KeyspaceError('away', 'Redis is gone'));
    expect(await accounts.verifyPassword(juliet, 'secret')).toEqual({ accepted: true });
  });
});
