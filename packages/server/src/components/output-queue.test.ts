import { Jid } from '@parley/xmpp/jid';
import { message, type Stanza } from '@parley/xmpp/stanza';
import { expect, it, onTestFinished, vi } from 'vitest';
import { MemoryTransport } from '../../../../tests/support/memory-transport.ts';
import { type Span, Trace } from '../tracing/trace.ts';
import { OutputQueue } from './output-queue.ts';

function setUp(limits = { maxStanzas: 8, maxBytes: 1000 }) {
  const transport = new MemoryTransport();
  const written: string[] = [];
  const queue = new OutputQueue({ transport, limits: () => limits, write: (text) => void written.push(text) });
  const push = (text: string) => queue.push(stanza(text), text, text.length);
  return { transport, written, queue, push };
}

const stanza = (id: string): Stanza => message({ to: Jid.parse('a@b'), id });

it('writes at once while the peer reads, and keeps the order when it does not', async () => {
  const { transport, written, queue, push } = setUp();
  expect(push('1')).toBeUndefined();
  transport.blocked = true;
  expect(push('2')).toBeUndefined();
  expect([written, queue.size]).toEqual([['1'], 1]);
  transport.blocked = false;
  push('3');
  await vi.waitFor(() => expect(written).toEqual(['1', '2', '3']));
  expect(queue.size).toBe(0);
});

it('holds senders up where much waits, until theirs is written or for a moment', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { transport, written, push } = setUp();
  transport.blocked = true;
  push('1');
  const second = push('2');
  let gone = false;
  void Promise.resolve(second).then(() => {
    gone = true;
  });
  await vi.advanceTimersByTimeAsync(900);
  expect([second instanceof Promise, gone]).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(200);
  expect([gone, written]).toEqual([true, []]);
  const third = push('3');
  transport.blocked = false;
  await third;
  expect(written).toEqual(['1', '2', '3']);
});

it('says which limit one more would exceed', () => {
  const { transport, queue, push } = setUp({ maxStanzas: 2, maxBytes: 10 });
  transport.blocked = true;
  expect(queue.exceeded(100)).toBeUndefined(); // one may always wait
  push('12345678');
  expect([queue.exceeded(2), queue.exceeded(3)]).toEqual([undefined, 'queue-bytes']);
  void push('9');
  expect(queue.exceeded(0)).toBe('queue-stanzas');
});

it('gives back what was not written, and lets everybody go', async () => {
  const { transport, written, queue, push } = setUp();
  transport.blocked = true;
  const pushed = ['1', '2', '3'].map(push);
  expect(queue.close().map(({ id }) => id)).toEqual(['1', '2', '3']);
  await Promise.all(pushed);
  transport.blocked = false;
  await Promise.resolve();
  expect([written, queue.size]).toEqual([[], 0]);
});

it('says of what is traced that it never left, where the connection ends first', async () => {
  const spans: Span[] = [];
  const trace = new Trace({ add: (span) => void spans.push(span as Span) }, 'xmpp.stanza', 'server', 0);
  const { transport, queue, push } = setUp();
  trace.run(() => {
    void push('written');
    transport.blocked = true;
    void push('waiting');
  });
  queue.close();
  await Promise.resolve();
  const told = () =>
    spans.filter(({ name }) => name === 'xmpp.write').map(({ failed, attributes }) => [failed, attributes.at(-1)]);
  expect(told()).toEqual([
    [true, 'disconnected'],
    [true, 'disconnected'],
  ]);
  transport.blocked = false;
  await Promise.resolve();
  expect(told()).toHaveLength(2);
});
