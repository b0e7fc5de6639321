import { partition } from '@parley/keyspace/key';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { beforeEach, expect, it, vi } from 'vitest';
import type { UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
import { incomingWorld, type Peer, type SeveralNodes } from './incoming-testing.ts';
import {
  ASK,
  acknowledged,
  begin,
  connect,
  ENABLE,
  message,
  openNodes,
  restOf,
  resume,
  resumed,
  taken,
} from './resuming-testing.ts';
import { incomingStreamKeys } from './stream-store.ts';

let keyspace: Keyspace;
let unreliable: UnreliableKeyspace;
let nodes: SeveralNodes;

beforeEach(async () => {
  ({ keyspace, unreliable, nodes } = await openNodes());
});

const rest = () => restOf(keyspace);

it('tells no more than the keyspace knows', async () => {
  const world = incomingWorld({}, nodes);
  const { peer, id } = await begin(world);
  peer.taken();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    unreliable.fate = () => 'lost';
    peer.send(message(1) + ASK);
    await rest();
    await vi.advanceTimersByTimeAsync(9000);
    expect(peer.taken()).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000); // who asks is told something in the end
    await rest();
    expect(peer.taken()).toEqual([acknowledged(0)]);
    unreliable.fate = () => 'done';
    peer.send(ASK);
  } finally {
    vi.useRealTimers();
  }
  await expect.poll(() => peer.taken()).toEqual([acknowledged(1)]);
  const again = await connect(world);
  unreliable.fate = () => 'refused';
  again.send(resume(id));
  await rest();
  expect([peer.error, again.taken()]).toEqual(['conflict', []]);
  unreliable.fate = () => 'done';
  await expect.poll(() => again.taken()).toEqual([resumed(id, 1)]);
});

it('is there again where the keyspace has lost it', async () => {
  const [one, two] = [incomingWorld({}, nodes), incomingWorld({}, nodes)];
  const { peer, id } = await begin(one);
  peer.send(message(1) + ASK);
  await rest();
  const sid = id.slice(0, 16);
  expect(await keyspace.del(incomingStreamKeys.key(String(partition(sid)), sid))).toBe(1);
  one.remembered.storeChanged();
  await rest();
  nodes.handlers.delete(one.id);
  const again = await connect(two);
  again.send(resume(id));
  await rest();
  expect(again.taken()).toEqual([resumed(id, 1)]);
});

it('so many streams are remembered, and of one domain, and others are acknowledged all the same', async () => {
  const world = incomingWorld({ resumption: { maxStreams: 3, maxStreamsPerDomain: 2 } }, nodes);
  const streams: Peer[] = [];
  for (let n = 0; n < 3; n++) streams.push((await begin(world)).peer);
  expect(streams.map((peer) => peer.inbox.at(-1)?.attr('resume'))).toEqual(['true', 'true', undefined]);
  for (let n = 0; n < 2; n++) {
    const other = await connect(world, 'tybalt.example');
    other.send(ENABLE);
    await rest();
    streams.push(other);
  }
  expect(streams.slice(3).map((peer) => peer.inbox.at(-1)?.attr('resume'))).toEqual(['true', undefined]);
  const limits = world.log.filter(({ event }) => event === 'limit.exceeded').map(({ limit }) => limit);
  expect(limits).toContain('federation-resumable-domain');
  streams[0]?.send('</stream:stream>');
  await rest();
  const { peer } = await begin(world);
  expect(peer.inbox.at(-1)?.attr('resume')).toBe('true');
});

it('has what is for one recipient go in its order, whoever sent it, since that knows the last number', async () => {
  const world = incomingWorld({}, nodes);
  const { peer } = await begin(world);
  const { promise, resolve } = Promise.withResolvers<void>();
  world.process = ({ id }) => (id === '1' ? promise : undefined);
  peer.send(message(1) + message(2, 'juliet@montague.example/b', 'nurse@capulet.example'));
  peer.send(message(3, 'benvolio@montague.example') + message(4, 'montague.example', 'nurse@capulet.example'));
  expect(taken(world)).toEqual(['1:1', '3:3', '4:4']);
  resolve();
  await rest();
  expect(taken(world)).toEqual(['1:1', '3:3', '4:4', '2:2']);
});

it('asks nothing of the keyspace for a stanza, and one thing for an acknowledgement, or for several at once', async () => {
  const world = incomingWorld({}, nodes);
  const { peer } = await begin(world);
  let writes = 0;
  unreliable.fate = () => {
    writes++;
    return 'done';
  };
  for (let id = 0; id < 100; id++) peer.send(message(id));
  expect(writes).toBe(0);
  peer.send(ASK + ASK + ASK);
  peer.taken();
  await expect.poll(() => peer.taken().at(-1)).toBe(acknowledged(100));
  expect(writes).toBe(1);
  peer.send(ASK); // nothing has come meanwhile
  expect([peer.taken(), writes]).toEqual([[acknowledged(100)], 1]);
});
