import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, test, vi } from 'vitest';
import { Peers } from '../../peers.ts';
import type { Session } from '../../session/session.ts';
import { Sessions } from '../../session/sessions.ts';
import { Streams } from '../../stream/streams.ts';
import { ClientAccess } from './client-access.ts';
import { ClientStore } from './client-store.ts';
import { RevokedGrants } from './revoked-grants.ts';

const juliet = Jid.parse('juliet@localhost');
const SECRET = Buffer.alloc(32, 1);

let store: ClientStore;
let peers: Peers;
let access: ClientAccess;
/** The clock by which logins and what ends them are compared: it goes when a test says so. */
let now: number;

beforeEach(async () => {
  now = 1_000_000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const { keyspace } = await openEmbedded(undefined, {});
  store = new ClientStore(keyspace, () => ({ most: 5, ttl: 1e12 }));
  peers = new Peers();
  const own = { sessions: new Sessions(), streams: new Streams(), peers, secret: SECRET };
  access = new ClientAccess({ store, revoked: new RevokedGrants(keyspace), ...own });
  for (const id of ['a', 'b']) await store.change(juliet, id, () => ({ since: 1, seen: Date.now(), software: id }));
  return () => keyspace.close();
});

const idOf = async (software: string) =>
  (await access.list(juliet)).find((each) => each.software === software)?.id as string;

/** A session whose connection was made so long ago, and that is bound now. */
const bound = (client: string, msAgo: number, account = juliet) =>
  ({
    account,
    jid: account.withResource('balcony'),
    stream: { begun: now - msAgo, closed: false, access: { userAgent: { id: client } } },
  }) as unknown as Session;

const isEnded = ({ account, stream, jid }: Session) => access.isEnded(account, stream, jid.resource);

test('who logs in while it is shut out is known by that, and who comes later is not', async () => {
  await access.revoke(juliet, await idOf('a'));
  expect(isEnded(bound('a', 10))).toBe(true);
  expect(isEnded(bound('b', 10))).toBe(false);
  expect(isEnded(bound('a', 10, Jid.parse('romeo@localhost')))).toBe(false);
  expect(isEnded(bound('a', -10))).toBe(false);
});

test('so is one whose connection was made in the same moment, and where the clock of the machine was set back', async () => {
  const login = bound('a', 0);
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 60_000);
  await access.revoke(juliet, await idOf('a'));
  expect(isEnded(login)).toBe(true);
});

test('so it is on the other nodes, for all clients, and not for ever', async () => {
  await access.revoke(juliet, await idOf('a'));
  await peers.receive('client-revoked', JSON.stringify({ account: 'juliet@localhost' }));
  for (const client of ['a', 'b']) expect(isEnded(bound(client, 10))).toBe(true);
  now += 200_000;
  await peers.receive('client-revoked', JSON.stringify({ account: 'romeo@localhost' }));
  expect(isEnded(bound('b', 300_000))).toBe(false);
});

test('the others are told, and whoever asks for it waits for them', async () => {
  const told: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  peers.connect(async (subject, text) => {
    told.push(subject, text);
    await promise;
  });
  const done = vi.fn();
  const revoking = access.revoke(juliet, await idOf('b')).then(done);
  await vi.waitFor(() => expect(told).toHaveLength(2));
  expect(done).not.toHaveBeenCalled();
  expect(JSON.parse(told[1] ?? '')).toMatchObject({ account: 'juliet@localhost', client: 'b' });
  resolve();
  await revoking;
  expect(done).toHaveBeenCalledWith('done');
  expect([...(await store.all(juliet)).keys()]).toEqual(['a']);
});

test('what one account calls a client says nothing to another', async () => {
  const id = await idOf('a');
  expect(await access.revoke(Jid.parse('romeo@localhost'), id)).toBe('unknown');
  expect(await access.revoke(juliet, `${id}x`)).toBe('unknown');
});
