import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { declareKeys } from '@parley/keyspace/key-declaration';
import { Jid } from '@parley/xmpp/jid';
import { deriveScramVerifier, parseScramVerifier, passwordMatches } from '@parley/xmpp/sasl/scram-verifier';
import { beforeEach, describe, expect, test } from 'vitest';
import { AccountStore, accountKeys } from './account-store.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const romeo = Jid.parse('romeo@montague.lit');
const common = { type: 'string', content: '', bound: '', ttl: 'none' } as const;
const ownedKeys = declareKeys({ ...common, name: 'owned' });
const detailKeys = declareKeys({ ...common, name: 'detail', parts: ['part'] });
const sharedKeys = declareKeys({ ...common, name: 'shared', scope: 'global' });
const verifiers = [await deriveScramVerifier('Wherefore?', 'SHA-256', { iterations: 4096 })];

let keyspace: Awaited<ReturnType<typeof openEmbedded>>['keyspace'];
let store: AccountStore;

beforeEach(async () => {
  ({ keyspace } = await openEmbedded(undefined, {}));
  store = new AccountStore(keyspace, [ownedKeys, detailKeys, sharedKeys]);
  return () => keyspace.close();
});

async function listed(domain: string): Promise<string[]> {
  const all: string[] = [];
  for await (const page of store.list(domain)) all.push(...page.map(String));
  return all.sort();
}

test('an account is what was put in, once', async () => {
  expect(await store.find(juliet)).toBeUndefined();
  expect(await store.create(juliet, verifiers)).toBe(true);
  const record = await store.find(juliet);
  expect(record?.disabled).toBe(false);
  expect(Math.abs(Date.now() - (record?.created ?? 0))).toBeLessThan(60_000);
  const verifier = parseScramVerifier(record?.verifiers.get('SHA-256') ?? '');
  expect(verifier).toEqual(verifiers[0]);

  const others = [await deriveScramVerifier('another', 'SHA-256', { iterations: 4096 })];
  expect(await store.create(juliet, others)).toBe(false);
  expect((await store.find(juliet))?.verifiers).toEqual(record?.verifiers);
});

test('no password is kept', async () => {
  await store.create(juliet, verifiers);
  const fields = await keyspace.hgetall(accountKeys.key('juliet@capulet.lit'));
  expect([...fields.keys()].sort()).toEqual(['SHA-256', 'created', 'disabled']);
  expect([...fields.values()].join()).not.toContain('Wherefore');
});

describe('changes', () => {
  test('reach accounts that exist', async () => {
    await store.create(juliet, verifiers);
    expect(await store.setDisabled(juliet, true)).toBe(true);
    expect((await store.find(juliet))?.disabled).toBe(true);
    expect(await store.setDisabled(juliet, false)).toBe(true);
    expect((await store.find(juliet))?.disabled).toBe(false);
    const next = await deriveScramVerifier('another', 'SHA-256', { iterations: 4096 });
    expect(await store.setVerifiers(juliet, [next])).toBe(true);
    const line = (await store.find(juliet))?.verifiers.get('SHA-256') ?? '';
    const kept = parseScramVerifier(line);
    expect(kept && (await passwordMatches(kept, 'another'))).toBe(true);
  });

  test('make no account where there is none', async () => {
    expect(await store.setDisabled(juliet, true)).toBe(false);
    expect(await store.setVerifiers(juliet, verifiers)).toBe(false);
    expect(await store.find(juliet)).toBeUndefined();
    expect(await listed('capulet.lit')).toEqual([]);
  });
});

test('with the account goes all that is its own, and nothing else', async () => {
  for (const account of [juliet, romeo]) {
    await store.create(account, verifiers);
    await keyspace.set(ownedKeys.key(account.bareText), 'hers or his');
  }
  await keyspace.set(sharedKeys.key(), 'everybody’s');
  await store.remove(juliet);
  expect(await store.find(juliet)).toBeUndefined();
  expect(await keyspace.get(ownedKeys.key('juliet@capulet.lit'))).toBeUndefined();
  expect(await listed('capulet.lit')).toEqual([]);
  expect(await store.find(romeo)).toBeDefined();
  expect(String(await keyspace.get(ownedKeys.key('romeo@montague.lit')))).toBe('hers or his');
  expect(String(await keyspace.get(sharedKeys.key()))).toBe('everybody’s');
});

test('accounts are listed by domain', async () => {
  const locals = Array.from({ length: 300 }, (_, i) => `user${i}`);
  for (const local of locals) await store.create(Jid.of(local, 'capulet.lit'), verifiers);
  await store.create(romeo, verifiers);
  expect(await listed('capulet.lit')).toEqual(locals.map((local) => `${local}@capulet.lit`).sort());
  expect(await listed('montague.lit')).toEqual(['romeo@montague.lit']);
  expect(await listed('lit')).toEqual([]);
});
