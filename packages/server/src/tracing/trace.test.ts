import { setImmediate as turn } from 'node:timers/promises';
import type { SpanData } from '@parley/opentelemetry/span-data';
import { expect, it } from 'vitest';
import { currentTrace, fromHere, type Span, startSpan, Trace, untraced } from './trace.ts';

const PARENT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

function begin(parent = undefined as typeof PARENT | undefined) {
  const spans: SpanData[] = [];
  const trace = new Trace({ add: (span) => void spans.push(span) }, 'xmpp.stanza', 'server', performance.now(), parent);
  return { spans, trace, names: () => spans.map(({ name }) => name) };
}

it('is where the stanza is, also after what it waits for, and nowhere else', async () => {
  const { trace, names } = begin();
  const waits = Promise.withResolvers<void>();
  expect(startSpan('before')).toBeUndefined();
  const done = trace.run(async () => {
    startSpan('at once')?.end();
    await waits.promise;
    expect(currentTrace()).toBe(trace);
    startSpan('later')?.end();
    return 7;
  });
  expect(currentTrace()).toBeUndefined();
  expect(startSpan('somewhere else')).toBeUndefined();
  waits.resolve();
  expect(await done).toBe(7);
  await turn();
  expect(names()).toEqual(['at once', 'later', 'xmpp.stanza']);
  expect(trace.over).toBe(true);
});

it('hands on what is answered, and what is thrown', async () => {
  const at = begin();
  expect(at.trace.run(() => 5)).toBe(5);
  const thrown = begin();
  expect(() =>
    thrown.trace.run(() => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(thrown.names()).toEqual(['xmpp.stanza']);
  const rejected = begin();
  await expect(rejected.trace.run(() => Promise.reject(new Error('not now')))).rejects.toThrow('not now');
  expect(rejected.names()).toEqual(['xmpp.stanza']);
  expect(startSpan('after all')).toBeUndefined();
});

it('has steps of one stanza, on one clock', () => {
  const { trace, spans } = begin(PARENT);
  trace.run(() => startSpan('step', 'client')?.set('tries', 2).end('timeout'));
  const [step, root] = spans as [SpanData, SpanData];
  expect(root).toMatchObject({
    ...{ traceId: PARENT.traceId, parentId: PARENT.spanId },
    kind: 'server',
    failed: false,
  });
  expect(step).toMatchObject({ traceId: PARENT.traceId, parentId: root.spanId, kind: 'client', failed: true });
  expect(step.attributes).toEqual(['tries', 2, 'error.type', 'timeout']);
  expect(step.startedAt).toBeGreaterThanOrEqual(root.startedAt);
  expect(step.endedAt).toBeGreaterThanOrEqual(step.startedAt);
  expect(root.endedAt).toBeGreaterThanOrEqual(step.endedAt);
  expect(Math.abs(root.endedAt - Date.now())).toBeLessThan(60_000);
  expect(begin().trace.root.parentId).toBe('');
});

it('lasts until the last step is over, and takes nothing more then', () => {
  const { trace, names } = begin();
  let write: Span | undefined;
  trace.run(() => {
    write = startSpan('write');
  });
  expect(names()).toEqual([]);
  write?.end();
  write?.end();
  expect(names()).toEqual(['write', 'xmpp.stanza']);
  expect(trace.start('late')).toBeUndefined();
});

it('does not wait for ever for a client that does not read', () => {
  const { trace, spans, names } = begin();
  trace.run(() => void startSpan('write'));
  expect(names()).toEqual([]);
  trace.expire();
  trace.expire();
  expect(names()).toEqual(['write', 'xmpp.stanza']);
  expect(spans[0]?.attributes).toEqual(['parley.unfinished', true]);
});

it('is over without a step that may take hours, which is told when it ends', () => {
  const { trace, spans, names } = begin();
  let write: Span | undefined;
  trace.run(() => {
    write = startSpan('write');
    startSpan('queue')?.end();
    write?.outlast();
    write?.outlast();
  });
  expect(names()).toEqual(['queue', 'xmpp.stanza']);
  expect(startSpan('of nobody')).toBeUndefined();
  write?.end('gone');
  write?.end();
  expect(names()).toEqual(['queue', 'xmpp.stanza', 'write']);
  expect(spans[2]).toMatchObject({ traceId: trace.traceId, parentId: trace.root.spanId, failed: true });
  // also where it is known only when the stanza is done with
  const later = begin();
  later.trace.run(() => {
    write = startSpan('write');
  });
  expect(later.names()).toEqual([]);
  write?.outlast();
  expect(later.names()).toEqual(['xmpp.stanza']);
  write?.end();
  expect(later.names()).toEqual(['xmpp.stanza', 'write']);
  expect(later.spans[1]?.attributes).toEqual([]);
});

it('has nothing of what is done for others', async () => {
  const { trace, names } = begin();
  await trace.run(async () => {
    await untraced(async () => {
      await turn();
      startSpan('of others')?.end();
    });
    startSpan('mine')?.end();
  });
  await turn();
  expect(names()).toEqual(['mine', 'xmpp.stanza']);
  expect(untraced(() => 7)).toBe(7);
});

it('has no more than so many steps', () => {
  const { trace, spans } = begin();
  trace.run(() => {
    for (let i = 0; i < 200; i++) startSpan('write')?.end();
  });
  expect(spans).toHaveLength(129);
  expect(spans.at(-1)?.attributes).toEqual(['parley.spans.omitted', 72]);
});

it('keeps no text that is endless', () => {
  const { trace } = begin();
  expect(trace.root.set('name', 'x'.repeat(1000)).attributes[1]).toHaveLength(256);
});

it('is remembered by what somebody else works off', async () => {
  const { trace, names } = begin();
  const jobs: (() => void)[] = [];
  await trace.run(async () => {
    jobs.push(fromHere(() => startSpan('mine')?.end()));
    await turn();
    jobs[0]?.();
  });
  expect(names()).toEqual(['mine', 'xmpp.stanza']);
  const other = begin();
  const plain = () => startSpan('of nobody')?.end();
  expect(fromHere(plain)).toBe(plain); // nothing is traced
  let unsampled: () => void = () => {};
  const held = begin();
  let open: Span | undefined;
  held.trace.run(() => {
    open = startSpan('open');
  });
  unsampled = fromHere(plain); // something is, and not this
  other.trace.run(() => unsampled());
  open?.end();
  expect(other.names()).toEqual(['xmpp.stanza']);
});
