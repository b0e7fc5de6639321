import type { Keyspace } from '@parley/keyspace/keyspace';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
import { incomingWorld, type SeveralNodes } from './incoming-testing.ts';
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
  sm,
  taken,
} from './resuming-testing.ts';
import { UNLIMITED } from './stream-limits.ts';

let keyspace: Keyspace;
let unreliable: UnreliableKeyspace;
let nodes: SeveralNodes;

beforeEach(async () => {
  ({ keyspace, unreliable, nodes } = await openNodes());
});

const rest = () => restOf(keyspace);

it('is offered with an id and a time', async () => {
  const { peer, id } = await begin(incomingWorld({ resumption: { seconds: 300 } }, nodes));
  expect(id).toMatch(/^[0-9a-f]{16}[\w-]{22}$/);
  expect(peer.taken()).toEqual([`<enabled xmlns='${NS.streamManagement}' id='${id}' resume='true' max='300'/>`]);
});

it.each([
  [`resume='1' max='60'`, '60'],
  [`resume='true' max='5000'`, '300'],
  [`resume='true' max='0'`, '300'],
  [`resume='true' max='x'`, '300'],
  [`resume='false' max='60'`, undefined],
])('asked for with %s lasts for %s seconds', async (attributes, max) => {
  const { peer } = await begin(incomingWorld({ resumption: { seconds: 300 } }, nodes), attributes);
  expect(peer.inbox.at(-1)?.attr('max')).toBe(max);
  expect(peer.inbox.at(-1)?.attr('resume')).toBe(max && 'true');
});

it('is not offered where it is switched off, or nobody can take it down', async () => {
  const { peer } = await begin(incomingWorld({ resumption: { seconds: 0 } }, nodes));
  expect(peer.taken()).toEqual([sm('<enabled/>')]);
  const world = incomingWorld({}, nodes);
  unreliable.fate = () => 'refused';
  const other = await begin(world);
  expect(other.peer.taken()).toEqual([sm('<enabled/>')]);
  expect(world.remembered.size).toBe(0);
  other.peer.send(message(1) + ASK);
  expect(other.peer.taken()).toEqual([acknowledged(1)]);
  expect(taken(world)).toEqual(['1:undefined']);
});

it('goes on, on another node, with the number of what is done with', async () => {
  const [one, two] = [incomingWorld({}, nodes), incomingWorld({}, nodes)];
  const { peer, id } = await begin(one);
  peer.taken();
  peer.send(message(1) + message(2) + ASK);
  await rest();
  expect(peer.taken()).toEqual([acknowledged(2)]);
  peer.send(message(3)); // nobody asks for this one
  peer.transport.break();
  await rest();

  const again = await connect(two);
  again.send(resume(id));
  await rest();
  expect(again.taken()).toEqual([resumed(id, 3)]);
  again.send(message(4) + ASK);
  await rest();
  expect(again.taken()).toEqual([acknowledged(4)]);
  expect([taken(one), taken(two)]).toEqual([['1:1', '2:2', '3:3'], ['4:4']]);
  const streams = [...one.stanzas, ...two.stanzas].map(({ origin }) => origin?.sid);
  expect(new Set(streams)).toEqual(new Set([id.slice(0, 16)]));
  expect([one.remembered.size, two.remembered.size]).toEqual([0, 1]);
  expect(two.log.find(({ event }) => event === 's2s.resumed')).toMatchObject({ from: 'elsewhere', handled: 3 });
});

it('goes on when its node was killed, with what that had told; what comes again has its number', async () => {
  const [one, two] = [incomingWorld({}, nodes), incomingWorld({}, nodes)];
  const { peer, id } = await begin(one);
  peer.taken();
  peer.send(message(1) + ASK + message(2) + message(3));
  await rest();
  expect(peer.taken()).toEqual([acknowledged(1)]);
  nodes.handlers.delete(one.id);

  const again = await connect(two);
  again.send(resume(id));
  await rest();
  expect(again.taken()).toEqual([resumed(id, 1)]);
  again.send(message(2) + message(3) + message(4));
  expect([taken(one), taken(two)]).toEqual([
    ['1:1', '2:2', '3:3'],
    ['2:2', '3:3', '4:4'],
  ]);
  expect(two.log.find(({ event }) => event === 's2s.resumed')).toMatchObject({ from: 'gone' });
});

it('is taken from a connection that is still there, with what is being dealt with', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }); // nobody waits for that for ever
  onTestFinished(() => void vi.useRealTimers());
  for (const same of [true, false]) {
    const one = incomingWorld({}, nodes);
    const two = same ? one : incomingWorld({}, nodes);
    const { peer, id } = await begin(one);
    const { promise, resolve } = Promise.withResolvers<void>();
    one.process = () => promise;
    peer.send(message(1));
    const again = await connect(two);
    again.send(resume(id));
    await rest();
    expect(peer.error).toBe('conflict');
    expect(again.taken()).toEqual([]);
    peer.send(message(2)); // is not taken any more
    resolve();
    await rest();
    expect(again.taken()).toEqual([resumed(id, 1)]);
    expect(taken(one)).toEqual(['1:1']);
  }
});

it('goes on after a time where its node is not done with something', async () => {
  const [one, two] = [incomingWorld({}, nodes), incomingWorld({}, nodes)];
  const { peer, id } = await begin(one);
  one.process = ({ id }) => (id === '2' ? new Promise(() => {}) : undefined);
  peer.send(message(1) + message(2));
  const again = await connect(two);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    again.send(resume(id));
    await rest();
    await vi.advanceTimersByTimeAsync(3000);
    await rest();
  } finally {
    vi.useRealTimers();
  }
  expect(again.taken()).toEqual([resumed(id, 1)]);
});

it('is of no use to others, and not between other domains', async () => {
  const world = incomingWorld({}, nodes);
  const { peer, id } = await begin(world);
  peer.transport.break();
  const others = [await connect(world, 'tybalt.example'), await connect(world, 'capulet.example', 'verona.example')];
  for (const other of others) {
    other.send(resume(id));
    await rest();
    expect(other.taken().at(-1)).toContain('item-not-found');
  }
  const own = await connect(world);
  for (const wrong of ['', 'x', id.slice(0, 16), `${id}x`, `${'0'.repeat(16)}${id.slice(16)}`, 'y'.repeat(5000)]) {
    own.send(resume(wrong));
    await rest();
    expect(own.taken().at(-1)).toContain('item-not-found');
  }
  own.send(resume(id)); // and nothing of that has harmed it
  await rest();
  expect(own.taken()).toEqual([resumed(id, 0)]);
});

it.each(['', '-1', 'x', '4294967296'])('an h of %j is none', async (h) => {
  const world = incomingWorld({}, nodes);
  const { peer, id } = await begin(world);
  peer.transport.break();
  const again = await connect(world);
  again.send(resume(id, h));
  await rest();
  expect(again.taken().at(-1)).toContain('bad-request');
});

it('an h that counts what was never sent ends the connection, and the stream waits on', async () => {
  const world = incomingWorld({}, nodes);
  const { peer, id } = await begin(world);
  peer.transport.break();
  const again = await connect(world);
  again.send(resume(id, '7'));
  await rest();
  expect(again.error).toBe('undefined-condition');
  expect(String(again.inbox.at(-1))).toContain(
    `<handled-count-too-high xmlns='${NS.streamManagement}' h='7' send-count='0'`,
  );
  const third = await connect(world);
  third.send(resume(id));
  await rest();
  expect(third.taken()).toEqual([resumed(id, 0)]);
});

it('is asked for once, and by whoever has proved who it is', async () => {
  const world = incomingWorld({}, nodes);
  const stranger = world.connect();
  stranger.open('capulet.example');
  await rest();
  const { peer, id } = await begin(world);
  for (const each of [stranger, peer]) {
    each.taken();
    each.send(resume(id) + ENABLE);
    await rest();
    for (const answer of each.taken()) expect(answer).toContain('unexpected-request');
  }
  peer.send(message(1) + ASK);
  await rest();
  expect(peer.taken()).toEqual([acknowledged(1)]);
});

it('is neither offered nor taken where both sides send', async () => {
  const world = incomingWorld({}, nodes);
  const { peer, id } = await begin(world);
  peer.transport.break();
  const both = await connect(world);
  for (const stream of world.incoming.streams) world.incoming.of(stream).bothWays = UNLIMITED;
  both.send(resume(id));
  await rest();
  expect(both.taken().at(-1)).toContain('feature-not-implemented');
  both.send(ENABLE);
  await rest();
  expect(both.taken().at(-1)).toBe(sm('<enabled/>'));
});

it('that is resumed twice is with whoever came last', async () => {
  const [one, two] = [incomingWorld({}, nodes), incomingWorld({}, nodes)];
  const { peer, id } = await begin(one);
  peer.send(message(1));
  peer.transport.break();
  const [second, third] = [await connect(one), await connect(two)];
  second.send(resume(id));
  await rest();
  expect(second.taken()).toEqual([resumed(id, 1)]);
  second.send(message(2));
  third.send(resume(id));
  await rest();
  expect(third.taken()).toEqual([resumed(id, 2)]);
  expect(second.error).toBe('conflict');
});

it('of which another node says that it has it is let go of', async () => {
  const [one, two] = [incomingWorld({}, nodes), incomingWorld({}, nodes)];
  const { peer, id } = await begin(one);
  peer.taken();
  nodes.handlers.delete(one.id); // as far as others can see
  const again = await connect(two);
  again.send(resume(id));
  await rest();
  expect(again.taken()).toEqual([resumed(id, 0)]);
  peer.send(message(1) + ASK);
  await rest();
  expect(peer.error).toBe('conflict');
  expect(peer.taken().join()).not.toContain('<a ');
  expect(one.remembered.size).toBe(0);
});

it('is gone when its time is over, here and in the keyspace', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  try {
    ({ keyspace, nodes } = await openNodes()); // by this clock
    const world = incomingWorld({ resumption: { seconds: 60 } }, nodes);
    const { peer, id } = await begin(world);
    for (let minute = 0; minute < 8; minute++) await vi.advanceTimersByTimeAsync(60_000); // the connection lives
    peer.transport.break();
    await rest();
    await vi.advanceTimersByTimeAsync(59_000);
    const again = await connect(world);
    again.send(resume(id));
    await rest();
    expect(again.taken()).toEqual([resumed(id, 0)]);
    again.transport.break();
    await rest();
    await vi.advanceTimersByTimeAsync(62_000);
    expect(world.remembered.size).toBe(0);
    const late = await connect(world);
    late.send(resume(id));
    await rest();
    expect(late.taken().at(-1)).toContain('item-not-found');
    late.send(ENABLE + message(1)); // it begins anew
    await rest();
    expect(late.inbox.at(-1)?.attr('id')).not.toBe(id);
    expect(taken(world)).toEqual(['1:1']);
  } finally {
    vi.useRealTimers();
  }
});

it.each([
  ['has got to know of everything', ASK, 'item-not-found'],
  ['does not know of everything', '', 'resumed'],
])('that the other side closes, which %s, %#', async (_, ask, answer) => {
  const world = incomingWorld({}, nodes);
  const { peer, id } = await begin(world);
  peer.send(message(1) + ask);
  await rest();
  peer.send('</stream:stream>');
  await rest();
  await world.pending.idle();
  const again = await connect(world);
  again.send(resume(id));
  await rest();
  expect(again.taken().at(-1)).toContain(answer);
});

it('waits for its server where this node stops', async () => {
  const [one, two] = [incomingWorld({}, nodes), incomingWorld({}, nodes)];
  const { peer, id } = await begin(one);
  peer.send(message(1) + ASK);
  await rest();
  for (const stream of [...one.incoming.streams]) stream.error(new StreamError('system-shutdown'));
  await one.pending.idle();
  nodes.handlers.delete(one.id);
  const again = await connect(two);
  again.send(resume(id));
  await rest();
  expect(again.taken()).toEqual([resumed(id, 1)]);
});
