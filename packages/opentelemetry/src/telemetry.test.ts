import { expect, it, onTestFinished, vi } from 'vitest';
import { OtlpCollector } from '../../../tests/services/otlp-collector.ts';
import { urlOf } from './collector.ts';
import type { SpanData } from './span-data.ts';
import { Telemetry } from './telemetry.ts';

const service = { name: 'chat', version: '1.2.3', instance: 'one' };

function telemetry(collector: OtlpCollector, timeoutMs = 60_000) {
  const events: string[] = [];
  const told = new Telemetry({
    collector: {
      endpoint: collector.endpoint,
      protocol: 'http/protobuf',
      headers: { 'x-key': 'of the tests' },
      authorities: [],
      timeoutMs,
    },
    events: { away: (reason) => events.push(`away: ${reason}`), back: (lost) => events.push(`back: ${lost}`) },
    service,
    metrics: undefined,
  });
  return { told, events };
}

let made = 0;
const span = (name = 'xmpp.stanza'): SpanData => ({
  ...{ traceId: 'a'.repeat(32), spanId: (++made).toString(16).padStart(16, '0'), parentId: '', name, kind: 'server' },
  ...{ startedAt: 1, endedAt: 2, attributes: ['filling', 'x'.repeat(200)], failed: false },
});

it.each([
  ['http://c:4318', 'http://c:4318/v1/traces'],
  ['http://c:4318/', 'http://c:4318/v1/traces'],
  ['https://c.example/otlp', 'https://c.example/otlp/v1/traces'],
  ['https://c.example/otlp/', 'https://c.example/otlp/v1/traces'],
])('finds the place of a signal below %s', (endpoint, url) => {
  expect(urlOf({ endpoint }, 'v1/traces')).toBe(url);
});

it('gives the collector what there is, at the latest at the end', async () => {
  const collector = await OtlpCollector.start();
  const { told, events } = telemetry(collector);
  for (let i = 0; i < 5000; i++) told.spans.add(span());
  await told[Symbol.asyncDispose]();
  expect(collector.spans).toHaveLength(5000);
  expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(5000);
  expect(collector.spans[0]?.node).toBe('one');
  expect(collector.headers.length).toBeGreaterThan(1); // none of them endless
  expect(collector.headers.every((each) => each['x-key'] === 'of the tests')).toBe(true);
  expect(events).toEqual([]);
});

it('keeps so much while the collector is away, and tells what was lost', async () => {
  const collector = await OtlpCollector.start();
  await collector.close();
  const { told, events } = telemetry(collector, 5000);
  const many = 40_000; // ten megabytes
  for (let i = 0; i < many; i++) told.spans.add(span());
  await expect.poll(() => events).toEqual([expect.stringMatching(/^away: .*ECONNREFUSED/)]);
  await collector.open();
  await expect.poll(() => events).toHaveLength(2);
  await told[Symbol.asyncDispose]();
  const lost = Number(/^back: (\d+)$/.exec(events[1] ?? '')?.[1]);
  expect(collector.spans.length + lost).toBe(many);
  expect(collector.text.length).toBeLessThan(3 * 1024 * 1024);
  expect(collector.spans.length).toBeGreaterThan(1000);
});

it('does not wait for a collector that answers nothing', async () => {
  const collector = await OtlpCollector.start();
  collector.silent = true;
  const { told, events } = telemetry(collector, 300);
  told.spans.add(span());
  const since = performance.now();
  await told[Symbol.asyncDispose]();
  expect(performance.now() - since).toBeLessThan(60_000);
  told.spans.add(span('too late'));
  expect(events.length).toBeLessThan(2);
});

it('does not wait at the end for a collector that is known to be away', async () => {
  const collector = await OtlpCollector.start();
  await collector.close();
  const { told, events } = telemetry(collector, 1500);
  told.spans.add(span());
  await expect.poll(() => events).toHaveLength(1);
  told.spans.add(span());
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }); // a wait would have no end
  onTestFinished(() => void vi.useRealTimers());
  await told[Symbol.asyncDispose]();
});

it.each([400, 401, 404])('is told why it is refused with %d', async (status) => {
  const collector = await OtlpCollector.start();
  collector.status = status;
  const { told, events } = telemetry(collector);
  told.spans.add(span());
  await told[Symbol.asyncDispose]();
  expect(events).toEqual([expect.stringContaining(`it answers ${status}`)]);
});
