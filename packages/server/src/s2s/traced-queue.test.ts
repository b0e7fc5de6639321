import type { SpanData } from '@parley/opentelemetry/span-data';
import { presence, type Stanza } from '@parley/xmpp/stanza';
import { expect, test } from 'vitest';
import { currentTrace, Trace } from '../tracing/trace.ts';
import { LOCAL, RoutingWorld, refused, seconds, to, turn, unknown, words } from './routing-testing.ts';

const world = new RoutingWorld();

/** Sends a stanza as part of a trace of its own. */
function traced(stanza: Stanza) {
  const spans: SpanData[] = [];
  const trace = new Trace({ add: (span) => void spans.push(span) }, 'xmpp.stanza', 'server', performance.now());
  const done = trace.run(() => world.routing.send(stanza));
  const names = () => spans.map(({ name }) => name);
  const write = () => spans.find(({ name }) => name === 'xmpp.write');
  return { trace, done, names, write };
}

const attributes = (span: SpanData | undefined): Record<string, unknown> => {
  const all = span?.attributes ?? [];
  return Object.fromEntries(all.flatMap((name, at) => (at % 2 === 0 ? [[name, all[at + 1]]] : [])));
};

test('up to when the operating system has it, where there is a stream', async () => {
  await world.send(words('0'));
  const stream = await world.opened(0, { id: 'a' });
  const { names, write, trace } = traced(words('1'));
  await turn();
  expect(stream.sent).toEqual(['0', '1']);
  expect(names()).toEqual(['xmpp.queue']); // and the stanza is not done with
  stream.flush();
  expect(names()).toEqual(['xmpp.queue', 'xmpp.write', 'xmpp.stanza']);
  expect(write()).toMatchObject({ parentId: trace.root.spanId, traceId: trace.traceId, failed: false });
  expect(attributes(write())).toEqual({ 'xmpp.connection.type': 's2s', 'parley.stream': 'open' });
});

test('for hours, where there is none: the trace is over without it', async () => {
  world.settings = { ...world.settings, waitMs: 86_400_000 };
  const { names, write, trace, done } = traced(words('1'));
  await done;
  await turn();
  expect(names()).toEqual(['xmpp.queue', 'xmpp.stanza']);
  world.attempts[0]?.fail(refused);
  await seconds(7200);
  expect(write()).toBeUndefined();
  const stream = await world.opened(1);
  stream.flush();
  expect(write()).toMatchObject({ parentId: trace.root.spanId, failed: false });
  expect(attributes(write())['parley.stream']).toBe('idle');
  const { endedAt = 0, startedAt = 0 } = write() ?? {};
  expect(endedAt - startedAt).toBeGreaterThanOrEqual(7_200_000);
});

test('on the next stream, where the first one ends before', async () => {
  await world.send(words('0'));
  const first = await world.opened(0, { id: 'a' });
  const { names, write } = traced(words('1'));
  await turn();
  first.end('it broke');
  await turn();
  expect(names()).toContain('xmpp.stanza');
  expect(write()).toBeUndefined();
  await seconds(5);
  const second = await world.opened(1, { id: 'b' });
  expect(second.sent).toEqual(['0', '1']);
  second.flush();
  expect(write()).toMatchObject({ failed: false });
});

test.each([
  ['is given up', words('1'), 'remote-server-not-found', (): void => world.attempts[0]?.fail(unknown)],
  ['is said anew', presence({ from: LOCAL, to: to('remote.example') }), 'superseded', again],
  ['is not so any more', presence({ from: LOCAL, to: to('remote.example') }), 'outdated', late],
])('and no further, where it %s', async (_, stanza, error, happens) => {
  const { write } = traced(stanza);
  await turn();
  await happens();
  await turn();
  expect(write()).toMatchObject({ failed: true });
  expect(attributes(write())['error.type']).toBe(error);
});

async function again(): Promise<void> {
  await world.send(presence({ from: LOCAL, to: to('remote.example') }));
}

async function late(): Promise<void> {
  await seconds(40);
  await world.opened();
}

test('says where the queue has gone elsewhere', async () => {
  const { write } = traced(words('1'));
  await turn();
  for (const queue of world.routing.queues) queue.end('another node has it');
  expect(attributes(write())['parley.session.moved']).toBe(true);
});

test('has nothing of what others do on the stream that it has begun', async () => {
  let at: Trace | undefined;
  const { attempts } = world;
  const push = attempts.push.bind(attempts);
  Object.assign(attempts, {
    push: (each: (typeof attempts)[number]): number => {
      at = currentTrace();
      return push(each);
    },
  });
  traced(words('1'));
  await turn();
  expect([attempts.length, at]).toEqual([1, undefined]);
});
