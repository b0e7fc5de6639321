import { randomUUID } from 'node:crypto';
import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openRedis } from '@parley/keyspace/redis/open-redis';
import { Jid } from '@parley/xmpp/jid';
import { deriveScramVerifier, parseScramVerifier, passwordMatches } from '@parley/xmpp/sasl/scram-verifier';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startRedis } from '../../../../tests/services/redis.ts';
import { compareAccounts } from './account-order.ts';
import { AccountStore, accountKeys } from './account-store.ts';

const common = { type: 'string', content: '', bound: '', ttl: 'none' } as const;
const ownedKeys = declareKeys({ ...common, name: 'owned' });
const detailKeys = declareKeys({ ...common, name: 'detail', parts: ['part'] });
const sharedKeys = declareKeys({ ...common, name: 'shared', scope: 'global' });
const verifiers = [await deriveScramVerifier('Wherefore?', 'SHA-256', { iterations: 4096 })];

async function embedded(): Promise<Keyspace> {
  return (await openEmbedded(undefined, {})).keyspace;
}

async function redis(): Promise<Keyspace> {
  const server = await startRedis();
  onStop = server.stop;
  return (await openRedis(server.url, {})).keyspace;
}

let onStop: (() => Promise<void>) | undefined;
let keyspace: Keyspace;
let store: AccountStore;
let juliet: Jid;
let romeo: Jid;

async function listed(domain: string): Promise<string[]> {
  return (await inOrder(domain)).sort();
}

async function inOrder(domain: string, after?: Jid): Promise<string[]> {
  const all: string[] = [];
  for await (const page of store.list(domain, after)) all.push(...page.map(String));
  return all;
}

describe.each([
  ['the embedded keyspace', embedded],
  ['Redis', redis],
])('in %s', (_, open) => {
  beforeAll(async () => {
    keyspace = await open();
    store = new AccountStore(keyspace, [ownedKeys, detailKeys, sharedKeys]);
    return async () => {
      await keyspace.close();
      await onStop?.();
    };
  });

  beforeEach(() => {
    const unique = randomUUID();
    juliet = Jid.parse(`juliet@capulet.${unique}`);
    romeo = Jid.parse(`romeo@montague.${unique}`);
  });

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
    const fields = await keyspace.hgetall(accountKeys.key(juliet.bareText));
    expect([...fields.keys()].sort()).toEqual(['SHA-256', 'created', 'disabled', 'mark']);
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

    test('put verifiers beside one that is still there, and no others', async () => {
      await store.create(juliet, verifiers);
      const [proved] = verifiers as [(typeof verifiers)[0] & {}];
      const more = await deriveScramVerifier('Wherefore?', 'SHA-512', { iterations: 4096 });
      expect(await store.addVerifiers(juliet, proved, [more])).toBe(true);
      expect([...((await store.find(juliet))?.verifiers.keys() ?? [])].sort()).toEqual(['SHA-256', 'SHA-512']);
      await store.setVerifiers(juliet, [await deriveScramVerifier('another', 'SHA-256', { iterations: 4096 })]);
      const before = await store.find(juliet);
      expect(await store.addVerifiers(juliet, proved, [{ ...more, hash: 'SHA-1' }])).toBe(false);
      expect(await store.find(juliet)).toEqual(before);
      expect(await store.addVerifiers(romeo, proved, [more])).toBe(false);
      expect(await store.find(romeo)).toBeUndefined();
    });

    test('make no account where there is none', async () => {
      expect(await store.setDisabled(juliet, true)).toBe(false);
      expect(await store.setVerifiers(juliet, verifiers)).toBe(false);
      expect(await store.find(juliet)).toBeUndefined();
      expect(await listed(juliet.domain)).toEqual([]);
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
    expect(await keyspace.get(ownedKeys.key(juliet.bareText))).toBeUndefined();
    expect(await listed(juliet.domain)).toEqual([]);
    expect(await store.find(romeo)).toBeDefined();
    expect(String(await keyspace.get(ownedKeys.key(romeo.bareText)))).toBe('hers or his');
    expect(String(await keyspace.get(sharedKeys.key()))).toBe('everybody’s');
  });

  test('accounts are listed by domain', async () => {
    const locals = Array.from({ length: 300 }, (_, i) => `user${i}`);
    for (const local of locals) await store.create(Jid.of(local, juliet.domain), verifiers);
    await store.create(romeo, verifiers);
    expect(await listed(juliet.domain)).toEqual(locals.map((local) => `${local}@${juliet.domain}`).sort());
    expect(await listed(romeo.domain)).toEqual([romeo.bareText]);
    expect(await listed('lit')).toEqual([]);
    // always in one order, so that somebody may go on behind any of them, be it gone, and meets whoever has come behind it
    const all = await inOrder(juliet.domain);
    expect(all).toEqual(
      all
        .map((each) => Jid.parse(each))
        .sort(compareAccounts)
        .map(String),
    );
    for (const place of [0, 150, 299]) {
      const after = Jid.parse(all[place] ?? '');
      await store.remove(after);
      expect(await inOrder(juliet.domain, after)).toEqual(all.slice(place + 1));
    }
  });
});
