import { expect, onTestFinished, test, vi } from 'vitest';
import { accountKey, globalKey, hashTag, partitionKey } from '../key.ts';
import { openKeyspace } from '../open.ts';
import { pushBounded } from '../testing/example-operations.ts';
import { OwnCluster } from '../testing/own-cluster.ts';
import { OwnRedis } from '../testing/own-redis.ts';
import { DomainReplicas } from './domain-replicas.ts';
import { SLOTS, slotOf } from './slot.ts';

async function pair() {
  const primary = await OwnRedis.start(['--repl-diskless-sync-delay', '0']);
  const replica = await OwnRedis.start(['--replicaof', '127.0.0.1', String(primary.port)]);
  return { primary, replica };
}

/** Longer than anything takes: for those that are not about a replica that comes too late. */
const PATIENT = 120_000;

async function start(deadline = PATIENT) {
  const { primary, replica } = await pair();
  /** The primary has done what it was told, and waits for its replica to have it. */
  const waits = async () => expect(await primary.askAll('INFO', 'clients')).toContain('blocked_clients:1');
  const begun = () => vi.waitFor(waits, { interval: 5 });
  const { keyspace } = await openKeyspace(primary.url, { deadline, replicas: 1 });
  onTestFinished(() => keyspace.close());
  // until the replica is in step, nothing is taken
  await vi.waitFor(() => keyspace.set('a', '1'), { interval: 20 });
  return { primary, replica, keyspace, begun };
}

test('nothing counts as done before a replica has it', async () => {
  const { replica, keyspace } = await start();
  await keyspace.set('a', '2');
  expect(await replica.askAll('GET', 'a')).toContain('2');
  expect(await keyspace.call(pushBounded, ['l'], [5, 'x', 'n1'])).toBe(1);
  expect(await replica.ask('LLEN', 'l')).toBe(':1');
});

test('nobody knows what becomes of writes while the replica is gone, reads go on, and so does all when it is back', async () => {
  const { replica, keyspace } = await start(2000);
  await replica.freeze();
  await expect(keyspace.set('a', '2')).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  expect([keyspace.state, keyspace.trouble?.failure]).toEqual(['down', 'slow']);
  expect(String(await keyspace.get('a'))).toBe('2');
  await expect(
    keyspace.batch(
      [
        ['set', 'a', '3'],
        ['get', 'a'],
      ],
      { atomic: true },
    ),
  ).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  replica.thaw();
  await vi.waitFor(() => expect(keyspace.state).toBe('up'), { interval: 20 });
  await vi.waitFor(() => keyspace.set('a', '4'), { interval: 20 });
  expect(await replica.askAll('GET', 'a')).toContain('4');
});

test('nobody knows what becomes of a write whose primary dies before it says who has it', async () => {
  const { primary, replica, keyspace, begun } = await start();
  await replica.freeze();
  const unknown = { failure: 'away', outcome: 'unknown' };
  const write = expect(keyspace.set('a', '2')).rejects.toMatchObject(unknown);
  const operation = expect(keyspace.call(pushBounded, ['l'], [5, 'x', 'n1'])).rejects.toMatchObject(unknown);
  const both = keyspace.batch(
    [
      ['set', 'b', '3'],
      ['get', 'b'],
    ],
    { atomic: true },
  );
  const batch = expect(both).rejects.toMatchObject(unknown);
  const read = expect(keyspace.get('a')).rejects.toMatchObject({ failure: 'away', outcome: 'not-executed' });
  await begun();
  await primary.kill();
  await Promise.all([write, operation, batch, read]);
});

test('nobody knows what becomes of a write whose primary becomes a replica before it says who has it', async () => {
  const { primary, replica, keyspace, begun } = await start();
  await replica.freeze();
  const write = expect(keyspace.set('a', '2')).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  await begun();
  await primary.ask('REPLICAOF', '127.0.0.1', String(replica.port));
  await write;
  // what it refuses is refused
  await vi.waitFor(
    () => expect(keyspace.set('a', '3')).rejects.toMatchObject({ failure: 'read-only', outcome: 'not-executed' }),
    { interval: 20 },
  );
});

test('nothing counts as done where the user may not ask who has it', async () => {
  const { primary, keyspace } = await start();
  await primary.ask('ACL', 'SETUSER', 'default', '-wait');
  await expect(keyspace.set('a', '2')).rejects.toMatchObject({ failure: 'refused', outcome: 'unknown' });
  expect(keyspace.trouble?.failure).toBe('refused');
  await primary.ask('ACL', 'SETUSER', 'default', '+wait');
  await vi.waitFor(() => expect(keyspace.state).toBe('up'), { interval: 20 });
  await keyspace.set('a', '3');
});

test('in a cluster, each server waits for its own replicas', async () => {
  const { url, replicas } = await OwnCluster.start({ primaries: 2, replicas: 2, nodeTimeoutMs: 60_000 });
  const { keyspace } = await openKeyspace(url, { deadline: 2000, replicas: 1 });
  onTestFinished(() => keyspace.close());
  const [first, second] = ['p2', 'p0'].map((tag) => `{${tag}}a`) as [string, string]; // in the first and the second half
  expect([first, second].map((key) => slotOf(hashTag(key)) < SLOTS / 2)).toEqual([true, false]);
  const soon = (key: string, value: string) => vi.waitFor(() => keyspace.set(key, value), { interval: 20 });
  await Promise.all([soon(first, '1'), soon(second, '1')]);
  await replicas[1]?.freeze();
  await expect(keyspace.set(second, '2')).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  await soon(first, '2');
  replicas[1]?.thaw();
  await soon(second, '3');
});

test('what belongs to a domain waits for more replicas than the rest, and nothing else waits with it', async () => {
  const { primary, replica } = await pair();
  const warnings: string[] = [];
  const states: string[] = [];
  const { keyspace } = await openKeyspace(primary.url, {
    deadline: 4000,
    domainReplicas: new Map([['strict.example', 1]]),
    observer: {
      warning: (message) => warnings.push(message),
      domainState: (domain, state) => states.push(`${domain} ${state}`),
    },
  });
  onTestFinished(() => keyspace.close());
  const [strict, easy] = ['a@strict.example', 'a@easy.example'].map((bare) => accountKey('k', bare)) as [
    string,
    string,
  ];
  const sid = partitionKey('journal', 7, '0011223344556677');
  const journal = keyspace.forAccount('a@strict.example');
  expect(keyspace.forAccount('a@easy.example')).toBe(keyspace);
  await vi.waitFor(() => keyspace.set(strict, '1'), { interval: 20 });
  const [down, up] = ['strict.example down', 'strict.example up'];
  await vi.waitFor(() => expect(states.at(-1)).toBe(up), { interval: 20 });
  expect(states.splice(0).slice(0, 2)).toEqual([down, up]);
  warnings.splice(0); // it may have been tried before the replica was in step
  await journal.rpush(sid, 'one');
  expect(await keyspace.call(pushBounded, [easy.replace('k:', 'l:')], [5, 'x', 'n1'])).toBe(1);
  expect(await keyspace.call(pushBounded, [strict.replace('k:', 'l:')], [5, 'x', 'n1'])).toBe(1);
  await replica.freeze();
  const failing = [
    keyspace.set(strict, '2'),
    journal.rpush(sid, 'two'),
    keyspace.call(pushBounded, [strict.replace('k:', 'l:')], [5, 'x', 'n1']),
  ].map((write) => expect(write).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' }));
  await keyspace.set(easy, '2');
  await keyspace.rpush(sid, 'three');
  await keyspace.call(pushBounded, [easy.replace('k:', 'l:')], [5, 'x', 'n1']);
  await Promise.all(failing);
  expect(keyspace.state).toBe('up');
  expect(warnings).toEqual([
    'Nothing can be kept for the domains that wait for 1 replicas of Redis: Fewer than 1 replicas of Redis have what was written.',
  ]);
  replica.thaw();
  await vi.waitFor(() => keyspace.set(strict, '3'), { interval: 20 });
  await vi.waitFor(() => expect(warnings).toHaveLength(2), { interval: 20 });
  expect(states).toEqual([down, up]);
  await keyspace.close();
  await expect(journal.llen(sid)).rejects.toMatchObject({ failure: 'closed' });
});

test('whose a key is', () => {
  const replicas = new DomainReplicas(
    new Map([
      ['a.example', 2],
      ['[::1]', 3],
    ]),
  );
  const of = (...keys: string[]) => replicas.ofKeys(keys);
  expect(of(accountKey('k', 'x@a.example'))).toBe(2);
  expect(of(accountKey('k', 'x@a.example', 'more', 'b@c'))).toBe(2);
  expect(of(partitionKey('index', 3), accountKey('k', 'x:y@[::1]'))).toBe(3);
  expect(of(accountKey('k', 'a.example'))).toBe(2);
  expect(
    of(accountKey('k', 'x@b.a.example'), partitionKey('index', 3, 'b'), globalKey('k', 'a.example')),
  ).toBeUndefined();
  expect([replicas.of('x@a.example'), replicas.of('x@[::1]'), replicas.of('x@b.example')]).toEqual([2, 3, undefined]);
  expect(new DomainReplicas().ofKeys([accountKey('k', 'x@a.example')])).toBeUndefined();
});
