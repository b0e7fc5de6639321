import { openKeyspace } from '@parley/keyspace/open';
import { Registry } from '@parley/metrics/registry';
import { parseSnapshot } from '@parley/metrics/snapshot';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Log } from './log.ts';
import { MetricsReport, nodeMetricsKeys } from './metrics-report.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

let lines: string[];
let log: Log;
beforeEach(() => {
  lines = [];
  log = Log.create({ level: 'info', output: { write: (line) => lines.push(line) } });
});

async function memory() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  return keyspace;
}

it('keeps the latest snapshot of the node in the keyspace, for a while', async () => {
  const keyspace = await memory();
  const registry = new Registry();
  const set = vi.spyOn(keyspace, 'set');
  await using report = new MetricsReport({ keyspace, registry, node: 'one', log });
  const read = async () => parseSnapshot(String(await keyspace.get(nodeMetricsKeys.key('one'))));

  expect(await read()).toMatchObject({ node: 'one', values: { 'xmpp.sessions': {} } });
  registry.metrics.sessions.add(3);
  vi.advanceTimersByTime(5000);
  expect((await read()).values['xmpp.sessions']).toEqual({ '': 3 });
  expect(set.mock.lastCall?.[2]).toEqual({ px: 15_000 });

  await report[Symbol.asyncDispose]();
  expect(await keyspace.get(nodeMetricsKeys.key('one'))).toBeUndefined();
  vi.advanceTimersByTime(10_000);
  expect(set).toHaveBeenCalledTimes(2);
});

it('goes on where the keyspace is away', async () => {
  const keyspace = await memory();
  await keyspace.close();
  const report = new MetricsReport({ keyspace, registry: new Registry(), node: 'one', log });
  vi.advanceTimersByTime(10_000);
  await report[Symbol.asyncDispose]();
  expect([vi.getTimerCount(), lines]).toEqual([0, []]);
});

it('tells of a fault, and harms nothing', async () => {
  const registry = new Registry();
  registry.metrics.keyspaceState.observe(() => {
    throw new TypeError('a bug');
  });
  await using report = new MetricsReport({ keyspace: await memory(), registry, node: 'one', log });
  await report[Symbol.asyncDispose]();
  expect(lines.join()).toMatch(/metrics\.unreported.*a bug/);
});
