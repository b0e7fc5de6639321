import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { SaslError } from '@parley/xmpp/sasl-error';
import { beforeEach, expect, test, vi } from 'vitest';
import { ClientStore, clientKeys } from '../../auth/clients/client-store.ts';
import { Tokens } from './tokens.ts';

const juliet = Jid.parse('juliet@localhost');
const agent = { id: 'd4565fa7-4d72-4749-b3d3-740edbf87770', software: 'AwesomeXMPP', device: undefined };
const HT = 'HT-SHA-256-NONE';

let keyspace: Awaited<ReturnType<typeof openEmbedded>>['keyspace'];
let tokens: Tokens;
let now: number;
let mark: string | undefined;

const make = (secret = Buffer.alloc(32, 1)) =>
  new Tokens({
    store: new ClientStore(keyspace, () => ({ most: 5, ttl: 1e12 })),
    accounts: { passwordMark: () => mark },
    secret,
    lifetime: () => 1000,
    now: () => now,
  });

beforeEach(async () => {
  ({ keyspace } = await openEmbedded(undefined, {}));
  [now, mark] = [Date.UTC(2026, 10, 26), undefined];
  tokens = make();
  return () => keyspace.close();
});

const issue = async (mechanism = HT) => (await tokens.issue(juliet, agent, mechanism))?.secret as string;

/** What comes of showing it. */
async function show(
  secret: string,
  {
    count,
    mechanism = HT,
    client = agent.id,
    account = juliet,
    by = tokens,
  }: Partial<{ count: number; mechanism: string; client: string; account: Jid; by: Tokens }> = {},
) {
  const showing = { account, client, mechanism, count, onUsed() {} };
  const token = (await by.find(showing)).find((each) => each.secret === secret);
  if (token === undefined) return 'unknown';
  try {
    await token.use();
    return 'good';
  } catch (error) {
    if (!(error instanceof SaslError)) throw error;
    return error.condition;
  }
}

test('a token is good for its client, its account and its mechanism alone, on every node', async () => {
  const secret = await issue();
  expect(secret).toMatch(/^[\w-]{43}$/);
  expect(await show(secret, { client: 'another' })).toBe('unknown');
  expect(await show(secret, { account: Jid.parse('romeo@localhost') })).toBe('unknown');
  expect(await show(secret, { mechanism: 'HT-SHA-256-EXPR' })).toBe('unknown');
  expect(await show(secret, { by: make(Buffer.alloc(32, 2)) })).toBe('unknown');
  expect(await show(secret, { by: make() })).toBe('good');
  expect(await show(secret)).toBe('good');
});

test('nothing that is kept is a token', async () => {
  const secret = await issue();
  const kept = String([...(await keyspace.hgetall(clientKeys.key('juliet@localhost'))).values()]);
  expect(kept).toContain('AwesomeXMPP');
  expect(kept).not.toContain(secret);
});

test('the former one is good until the new one was shown', async () => {
  const former = await issue();
  expect(await show(former)).toBe('good');
  const lost = await issue(); // one that never reached the client
  const fresh = await issue();
  expect(await show(lost)).toBe('unknown');
  expect(await show(former)).toBe('good');
  expect(await show(fresh)).toBe('good');
  expect(await show(former)).toBe('unknown');
});

test('it is good for so long, and no longer', async () => {
  const secret = await issue();
  now += 999;
  expect(await show(secret)).toBe('good');
  now += 1;
  expect(await show(secret)).toBe('credentials-expired');
});

test('it is good for as long as the password is the same', async () => {
  mark = 'pwdChangedTime=1';
  const secret = await issue();
  expect(await show(secret)).toBe('good');
  mark = 'pwdChangedTime=2';
  expect(await show(secret)).toBe('credentials-expired');
});

test('one for something that was granted is good whatever the password', async () => {
  const grant = { client: 'an-app', granted: now, until: now + 500, restricted: true };
  const { secret = '' } = (await tokens.issue(juliet, agent, HT, { grant })) ?? {};
  mark = 'pwdChangedTime=2';
  expect(await show(secret)).toBe('good');
});

test('who counts is not repeated by anybody, with or without the count', async () => {
  const secret = await issue();
  expect(await show(secret)).toBe('good');
  expect(await show(secret, { count: 1 })).toBe('good');
  for (const count of [0, 1]) expect(await show(secret, { count })).toBe('not-authorized');
  expect(await show(secret)).toBe('not-authorized');
  expect(await show(secret, { count: 7 })).toBe('good');
  expect(await show(await issue(), { count: 1 })).toBe('good'); // another one is counted anew
});

test('of two that show the same count at the same time, one is let in', async () => {
  const secret = await issue();
  const outcomes = await Promise.all([1, 2, 3].map(() => show(secret, { count: 1 })));
  expect(outcomes.toSorted()).toEqual(['good', 'not-authorized', 'not-authorized']);
});

test('one for something that was granted is good no longer than that', async () => {
  const grant = { client: 'an-app', granted: now, until: now + 500, restricted: true };
  const { secret = '' } = (await tokens.issue(juliet, agent, HT, { grant })) ?? {};
  now += 499;
  expect(await show(secret)).toBe('good');
  now += 1;
  expect(await show(secret)).toBe('credentials-expired');
  expect(await tokens.issue(juliet, agent, HT, { grant })).toBeUndefined();
});

test('a client that has lost its access gets no other one for the one that it had', async () => {
  await issue();
  expect(await tokens.issue(juliet, agent, HT, { renewed: true })).toBeDefined();
  await new ClientStore(keyspace, () => ({ most: 5, ttl: 1e12 })).removeAll(juliet);
  expect(await tokens.issue(juliet, agent, HT, { renewed: true })).toBeUndefined();
});

test('a login that changes nothing takes one read, and is noted within ten minutes all the same', async () => {
  const store = new ClientStore(keyspace, () => ({ most: 5, ttl: 1e12 }));
  const [reads, writes] = [vi.spyOn(keyspace, 'hget'), vi.spyOn(keyspace, 'call')];
  const asked = () => {
    const counts = [reads.mock.calls.length, writes.mock.calls.length];
    reads.mockClear();
    writes.mockClear();
    return counts;
  };
  tokens = new Tokens({
    ...{ store, accounts: {}, secret: Buffer.alloc(32, 1), now: () => now },
    lifetime: () => 86_400_000,
  });
  const secret = await issue();
  asked();
  expect([await show(secret), asked()]).toEqual(['good', [1, 1]]); // it has the token, then
  expect([await show(secret), asked()]).toEqual(['good', [1, 0]]);
  now += 600_000;
  expect([await show(secret), asked()]).toEqual(['good', [1, 1]]);
  expect((await store.get(juliet, agent.id))?.seen).toBe(now);
  await issue();
  asked();
  expect([await show(secret), asked()]).toEqual(['good', [1, 0]]);
  now += 600_000;
  expect([await show(secret, { count: 1 }), asked()]).toEqual(['good', [1, 1]]);
});

test('one that is ended between being found and being used is not good', async () => {
  const secret = await issue();
  const showing = { account: juliet, client: agent.id, mechanism: HT, count: undefined, onUsed() {} };
  const found = (await tokens.find(showing)).find((each) => each.secret === secret);
  await new ClientStore(keyspace, () => ({ most: 5, ttl: 1e12 })).removeAll(juliet);
  await expect(found?.use()).rejects.toMatchObject({ condition: 'not-authorized' });
});
