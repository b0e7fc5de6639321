import type { SpanData } from '@parley/opentelemetry/span-data';
import { Jid } from '@parley/xmpp/jid';
import { message, presence, type Stanza } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import { arrival, asArrived, bytesCame, bytesRead, elementTurn, elementWaits } from './arrival.ts';
import { Tracing } from './tracing.ts';

const to = Jid.parse('juliet@localhost');
const stanza = message({ to, type: 'chat' });

function tracing(ratio: number, random?: () => number) {
  const spans: SpanData[] = [];
  const own = new Tracing({ add: (span) => void spans.push(span) }, ratio, random);
  return { own, spans };
}

it.each([
  [0, 0, 0],
  [1, 10_000, 10_000],
  [0.01, 60, 140],
  [0.5, 4800, 5200],
])('traces a share of %d', (ratio, least, most) => {
  // not random, and as good
  let seed = 1;
  const { own } = tracing(ratio, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  });
  let traced = 0;
  for (let i = 0; i < 10_000; i++) if (own.begin(stanza, 'c2s') !== undefined) traced++;
  expect(traced).toBeGreaterThanOrEqual(least);
  expect(traced).toBeLessThanOrEqual(most);
  own[Symbol.dispose]();
  for (let i = 0; i < 1000; i++) expect(own.begin(stanza, 'c2s')).toBeUndefined();
});

it('says of a stanza what it is, and nothing of who and what', () => {
  using own = tracing(1).own;
  const about = (each: Stanza) => own.begin(each, 's2s')?.root.attributes;
  expect(about(stanza)).toEqual([
    ...['xmpp.connection.type', 's2s', 'xmpp.stanza.kind', 'message'],
    ...['xmpp.stanza.type', 'chat'],
  ]);
  expect(about(presence({ to }))).toEqual([...['xmpp.connection.type', 's2s', 'xmpp.stanza.kind', 'presence']]);
  expect(about(message({ to, type: 'romeo was here' }))?.at(-1)).toBe('other');
});

it('begins with the bytes, also of what had to wait', async () => {
  using own = tracing(1).own;
  const element = {};
  const before = performance.now();
  bytesCame();
  const came = performance.now();
  elementWaits(element);
  bytesRead();
  for (const now = performance.now(); performance.now() - now < 3; );
  elementTurn(element);
  const trace = own.begin(stanza, 'c2s');
  bytesRead();
  const at = (trace?.root.startedAt ?? 0) - (trace?.clock ?? 0);
  expect(at).toBeGreaterThanOrEqual(before - 0.01);
  expect(at).toBeLessThanOrEqual(came + 0.01);
  // of what came nobody knows when, it begins now
  const unknown = own.begin(stanza, 'c2s');
  expect((unknown?.root.startedAt ?? 0) - (unknown?.clock ?? 0)).toBeGreaterThan(came + 2);
});

it('begins with its own bytes, whenever its turn comes and whatever else is read then', () => {
  using own = tracing(1).own;
  const spin = () => {
    for (const now = performance.now(); performance.now() - now < 3; );
  };
  bytesCame();
  const came = arrival();
  const later = asArrived(() => own.begin(stanza, 's2s'));
  bytesRead();
  spin();
  bytesCame();
  const others = arrival();
  const trace = later();
  expect((trace?.root.startedAt ?? 0) - (trace?.clock ?? 0)).toBeCloseTo(came, 1);
  expect(arrival()).toBe(others);
  bytesRead();
  const act = () => 7;
  expect(asArrived(act)).toBe(act); // nobody knows when it came
});

it('goes on with what another node has begun, whatever its own share', () => {
  const { own, spans } = tracing(0);
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  own.join(traceparent)?.run(() => {});
  expect(spans).toMatchObject([
    { name: 'xmpp.deliver', kind: 'consumer', traceId: 'a'.repeat(32), parentId: 'b'.repeat(16) },
  ]);
  expect(own.join('what is this?')).toBeUndefined();
});
