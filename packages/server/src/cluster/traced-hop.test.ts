import type { SpanData } from '@parley/opentelemetry/span-data';
import { Jid } from '@parley/xmpp/jid';
import { message, type Stanza } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import type { Session } from '../session/session.ts';
import { currentTrace, Trace } from '../tracing/trace.ts';
import { Tracing } from '../tracing/tracing.ts';
import { InboundDeliveries } from './inbound-deliveries.ts';
import { encodeDeliver, encodeTrace, ITEM } from './items.ts';
import { RemoteDelivery } from './remote-delivery.ts';

const [SELF, B, C, SID] = ['0'.repeat(16), 'b'.repeat(16), 'c'.repeat(16), '1'.repeat(16)];
const juliet = Jid.parse('juliet@capulet.lit/balcony');
const stanza = message({ from: Jid.parse('romeo@montague.lit/orchard'), to: juliet, type: 'chat' });

function sink() {
  const spans: SpanData[] = [];
  return { spans, add: (span: SpanData) => void spans.push(span) };
}

function sender() {
  const sent: [to: string, item: Buffer][] = [];
  const owners = [C];
  const delivery = new RemoteDelivery({
    self: SELF,
    send: (to, item) => void sent.push([to, item]),
    isAlive: () => true,
    waiting: () => 0,
    own: () => undefined,
    ownerOf: async () => owners.shift(),
    again: async () => {},
    onOver: () => {},
    onUnreadable: () => {},
  });
  return { sent, delivery, kinds: () => sent.map(([to, item]) => [to, item[0]]) };
}

function receiver(tracing?: Tracing) {
  const taken: [Stanza, Trace | undefined][] = [];
  const session = { jid: juliet, account: juliet.bare, movedAway: false };
  const send = (each: Stanza) => void taken.push([each, currentTrace()]);
  const inbound = new InboundDeliveries({
    own: () => ({ ...session, send }) as unknown as Session,
    send: () => {},
    route: () => {},
    onLate: () => {},
    tracing,
  });
  return { taken, inbound };
}

const traceIn = (to: ReturnType<typeof sink>) => new Trace(to, 'xmpp.stanza', 'server', performance.now());

it('says of a traced stanza where it comes from, before the stanza itself', () => {
  const here = sink();
  const { delivery, sent, kinds } = sender();
  const target = { jid: juliet, sessionId: SID, node: B, resumable: false };
  expect(delivery.deliver(target, stanza)).toBe(true);
  expect(kinds()).toEqual([[B, ITEM.deliver]]);
  const trace = traceIn(here);
  trace.run(() => delivery.deliver(target, stanza));
  expect(kinds().slice(1)).toEqual([
    [B, ITEM.trace],
    [B, ITEM.deliver],
  ]);
  const [hop] = here.spans;
  expect(hop).toMatchObject({ name: 'xmpp.hop', kind: 'producer', parentId: trace.root.spanId });
  expect(sent[1]?.[1].subarray(1).toString()).toBe(`00-${trace.traceId}-${hop?.spanId}-01`);
});

it('says it again to whoever has the session by then, and lasts until that has it', async () => {
  const here = sink();
  const { delivery, sent, kinds } = sender();
  const target = { jid: juliet, sessionId: SID, node: B, resumable: true };
  const body = stanza.with({ children: [] });
  const done = traceIn(here).run(() => delivery.deliver(target, body));
  const id = (at: number) => sent[at]?.[1].readUInt32BE(2) as number;
  delivery.onAnswer(B, id(1), false);
  await expect.poll(() => kinds()).toHaveLength(4);
  expect(kinds().slice(2)).toEqual([
    [C, ITEM.trace],
    [C, ITEM.deliver],
  ]);
  expect(here.spans).toEqual([]);
  delivery.onAnswer(C, id(3), true);
  expect(await done).toBe(true);
  await expect.poll(() => here.spans.map(({ name }) => name)).toEqual(['xmpp.hop', 'xmpp.stanza']);
});

it('goes on where the stanza arrives, and with that stanza alone', () => {
  const there = sink();
  const { inbound, taken } = receiver(new Tracing(there, 0));
  const trace = traceIn(sink());
  const deliver = encodeDeliver({ id: 0, sid: SID, first: true, origin: undefined }, stanza.toString());
  inbound.traced(B, encodeTrace(trace.root.traceparent));
  inbound.receive(C, deliver);
  inbound.receive(B, deliver);
  inbound.receive(B, deliver);
  expect(taken.map(([, at]) => at?.traceId)).toEqual([undefined, trace.traceId, undefined]);
  expect(there.spans).toMatchObject([{ name: 'xmpp.deliver', parentId: trace.root.spanId, traceId: trace.traceId }]);
});

it('is nothing where nobody traces, or where it cannot be read', () => {
  const deliver = encodeDeliver({ id: 0, sid: SID, first: true, origin: undefined }, stanza.toString());
  const there = sink();
  for (const { inbound, taken } of [receiver(), receiver(new Tracing(there, 0))]) {
    inbound.traced(B, encodeTrace('x'.repeat(100_000)));
    inbound.receive(B, deliver);
    expect(taken).toHaveLength(1);
  }
  expect(there.spans).toEqual([]);
});
