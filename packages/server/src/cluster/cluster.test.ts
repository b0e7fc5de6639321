import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { presence } from '@parley/xmpp/stanza';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Peers } from '../peers.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import { Sessions } from '../session/sessions.ts';
import { Cluster } from './cluster.ts';
import type { ClusterHost } from './cluster-host.ts';
import { memberKeys } from './member.ts';

const ID = '000000000000000a';
const OTHER = '000000000000000b';

/** A node whose way of taking over what others had is up to the test. */
async function start(reap: ClusterHost['reap']) {
  const { keyspace, bus } = await openKeyspace('embedded::memory:', { node: ID });
  onTestFinished(() => keyspace.close());
  const faults: unknown[] = [];
  const sessions = new Sessions();
  const host: Partial<ClusterHost> = {
    ...{ keyspace, bus, id: ID, name: 'a', version: '1.0.0', reap },
    ...{ sessions, peers: new Peers(), log: { info() {}, warn() {} } as never },
    store: new ResumptionStore({ keyspace, owner: ID, onDamaged: (error) => expect.fail(String(error)) }),
    lease: () => ({ heartbeatMs: 5, leaseMs: 60_000, absentMs: 60_000 }),
    onGoneElsewhere() {},
    onMemberJoined() {},
    onMemberGone() {},
    onFault: (error) => void faults.push(error),
  };
  const cluster = new Cluster(host as ClusterHost);
  onTestFinished(() => cluster.leave());
  const write = (entry: string) => keyspace.hset(memberKeys.key(), [[OTHER, entry]]);
  const read = async () => String(await keyspace.hget(memberKeys.key(), OTHER));
  return { cluster, keyspace, sessions, faults, write, read };
}

it('takes nothing over from a node that joins while it starts', async () => {
  const started = Promise.withResolvers<void>();
  let isGone: (owner: string, sid: string) => boolean = () => expect.fail();
  const { cluster, write } = await start((given) => {
    isGone = given;
    return started.promise;
  });
  const joined = cluster.join();
  await vi.waitUntil(() => cluster.isAlive(ID) && isGone.length > 0);
  expect([ID, OTHER].map((owner) => isGone(owner, ''))).toEqual([false, true]);
  await write('alive 1 1 - {}');
  await vi.waitUntil(() => cluster.members.length === 2);
  expect([ID, OTHER].map((owner) => isGone(owner, ''))).toEqual([false, false]);
  started.resolve();
  await joined;
});

it('takes over what a node had, though the keyspace is away in the middle of it', async () => {
  let attempts = 0;
  const { cluster, faults, write, read } = await start(async (isGone) => {
    if (isGone(OTHER, '') && ++attempts === 2) throw new KeyspaceError('away', 'It is away.');
  });
  await cluster.join();
  await write('dead 1 1 - {}');
  await vi.waitUntil(async () => / \+ $/.test(await read()));
  expect([attempts, faults]).toEqual([3, []]);
});

it('shows a session that it lost to another node until it is known who has it, or that it is over', async () => {
  const { cluster, sessions } = await start(async () => {});
  await cluster.join();
  const jid = Jid.parse('juliet@capulet.lit/balcony');
  const states = {
    interested: true,
    priority: 0,
    carbonsSince: 0,
    receivingSince: 0,
    presence: presence({ from: jid }),
  };
  const session = { jid, account: jid.bare, sessionId: '00000000000000cc', backlog: { resumable: true, epoch: 3 } };
  cluster.moved({ ...session, ...states } as unknown as Session);
  expect(sessions.of(jid)).toMatchObject([{ sessionId: session.sessionId, available: true, node: '' }]);
  await vi.waitUntil(() => sessions.of(jid).length === 0); // nothing is recorded of it
});
