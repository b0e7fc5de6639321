import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, test, vi } from 'vitest';
import { Events } from '../../events.ts';
import type { EventMap } from '../../hooks.ts';
import { Log } from '../../log.ts';
import type { Session } from '../../session/session.ts';
import type { StreamAccess } from '../../stream/stream-access.ts';
import { recordClients } from './client-recorder.ts';
import { ClientStore } from './client-store.ts';
import { RevokedGrants } from './revoked-grants.ts';

const juliet = Jid.parse('juliet@localhost');
const userAgent = { id: 'd4565fa7', software: 'AwesomeXMPP', device: 'a phone' };
const grant = { client: 'an-app', granted: 1000, until: 9e15, restricted: true };

let keyspace: Awaited<ReturnType<typeof openEmbedded>>['keyspace'];
let store: ClientStore;
let revoked: RevokedGrants;
let events: Events<EventMap>;
let log: string[];
let isEnded: boolean;

beforeEach(async () => {
  ({ keyspace } = await openEmbedded(undefined, {}));
  store = new ClientStore(keyspace, () => ({ most: 5, ttl: 60_000 }));
  revoked = new RevokedGrants(keyspace);
  events = new Events<EventMap>((error) => {
    throw error;
  });
  log = [];
  isEnded = false;
  recordClients({
    clients: { isEnded: () => isEnded },
    store,
    revoked,
    events,
    log: Log.create({ output: { write: (line) => log.push(line) } }),
  });
  return () => keyspace.close();
});

/** A session is bound; what becomes of it. */
async function bind(mechanism: string, access: StreamAccess, change: Partial<Session> = {}) {
  const end = vi.fn();
  const jid = juliet.withResource('balcony');
  await events.emit('session.bound', { jid, account: juliet, end, stream: { mechanism, access }, ...change } as never);
  return end.mock.calls.length > 0 ? 'ended' : 'goes on';
}

test('what is kept tells by what a client has come, ever', async () => {
  expect(await bind('SCRAM-SHA-1', { userAgent })).toBe('goes on');
  expect(await store.get(juliet, userAgent.id)).toMatchObject({
    software: 'AwesomeXMPP',
    device: 'a phone',
    resource: 'balcony',
    mechanism: 'SCRAM-SHA-1',
    password: true,
    other: false,
  });
  await bind('OAUTHBEARER', { userAgent, grant });
  await bind('EXTERNAL', { userAgent });
  expect(await store.get(juliet, userAgent.id)).toMatchObject({
    mechanism: 'EXTERNAL',
    password: true,
    other: true,
    grant: { client: 'an-app', restricted: true },
  });
});

test('nothing is kept of whoever does not say who it is, nor of guests', async () => {
  await bind('PLAIN', {});
  await bind('ANONYMOUS', { userAgent });
  expect(await store.all(juliet)).toEqual(new Map());
});

test('a client whose access was taken away while it logged in by a token is ended', async () => {
  await bind('PLAIN', { userAgent });
  isEnded = true;
  expect(await bind('HT-SHA-256-NONE', { userAgent, resource: 'balcony' })).toBe('ended');
  isEnded = false;
  expect(await bind('HT-SHA-256-NONE', { userAgent })).toBe('goes on');
  await store.removeAll(juliet);
  expect(await bind('HT-SHA-256-NONE', { userAgent })).toBe('ended');
  expect(await store.all(juliet)).toEqual(new Map());
});

test('one that comes back by a token to where it was costs the keyspace nothing', async () => {
  const asked = vi.spyOn(keyspace, 'hget');
  expect(await bind('HT-SHA-256-NONE', { userAgent, resource: 'balcony' })).toBe('goes on');
  expect(asked).not.toHaveBeenCalled();
});

test('so is one that logged in by what was granted', async () => {
  await revoked.add(juliet, 'an-app');
  expect(await bind('OAUTHBEARER', { userAgent, grant })).toBe('ended');
  expect(await store.all(juliet)).toEqual(new Map());
});

test('a keyspace that is away keeps nobody out', async () => {
  keyspace.hget = () => Promise.reject(new KeyspaceError('away', 'Redis is gone'));
  expect(await bind('PLAIN', { userAgent })).toBe('goes on');
  expect(log.join('')).toContain('client.not-recorded');
});
