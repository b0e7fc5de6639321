import { openKeyspace } from '@parley/keyspace/open';
import type { NodeReport } from '@parley/metrics/node-report';
import { Registry } from '@parley/metrics/registry';

import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Log } from './log.ts';
import { NodeReporting, nodeReportKeys, readNodeReports } from './node-reporting.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

let lines: string[];
let log: Log;
beforeEach(() => {
  lines = [];
  log = Log.create({ level: 'info', output: { write: (line) => lines.push(line) } });
});

/** What a node of this name reports. */
const reporting =
  (registry: Registry, state: () => NodeReport['state'] = () => 'up') =>
  () => ({
    ...registry.snapshot('one'),
    software: '1.2.3',
    startedAt: 1,
    state: state(),
    reasons: [],
    associations: [],
  });

const shownSeconds = () => 3600;

async function memory() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  return keyspace;
}

it('keeps the latest snapshot of the node in the keyspace, for a while', async () => {
  const keyspace = await memory();
  const registry = new Registry();
  const old = { ...reporting(registry)(), node: 'old', at: Date.now() - 7_200_000 };
  await keyspace.hset(nodeReportKeys.key(), [
    ['old', JSON.stringify(old)],
    ['odd', '{'],
  ]);
  const set = vi.spyOn(keyspace, 'batch');
  let state: NodeReport['state'] = 'up';
  await using reports = new NodeReporting({ keyspace, report: reporting(registry, () => state), shownSeconds, log });
  const read = async () => (await readNodeReports(keyspace))[0] as NodeReport;

  await vi.waitFor(() => expect(set).toHaveBeenCalled());
  expect(await readNodeReports(keyspace)).toMatchObject([{ node: 'one', values: { 'xmpp.sessions': {} } }]);
  expect((await keyspace.hgetall(nodeReportKeys.key())).size).toBe(1);
  registry.metrics.sessions.add(3);
  vi.advanceTimersByTime(5000);
  expect((await read()).values['xmpp.sessions']).toEqual({ '': 3 });

  state = 'quiescing';
  await reports[Symbol.asyncDispose]();
  expect(await read()).toMatchObject({ state: 'quiescing' });
  vi.advanceTimersByTime(10_000);
  expect(set).toHaveBeenCalledTimes(3);
});

it('keeps what a node that is gone has told for as long as somebody shows it', async () => {
  const keyspace = await memory();
  const told = (node: string, hours: number) => ({
    ...reporting(new Registry())(),
    node,
    at: Date.now() - hours * 3_600_000,
  });
  await keyspace.hset(nodeReportKeys.key(), [
    ['lost', JSON.stringify(told('lost', 7))],
    ['forgotten', JSON.stringify(told('forgotten', 9))],
  ]);
  const set = vi.spyOn(keyspace, 'batch');
  await using _ = new NodeReporting({ keyspace, report: reporting(new Registry()), shownSeconds: () => 8 * 3600, log });
  await vi.waitFor(() => expect(set).toHaveBeenCalled());
  expect(set.mock.calls[0]?.[0]).toContainEqual(['pexpire', nodeReportKeys.key(), 8 * 3_600_000]);
  expect((await readNodeReports(keyspace)).map(({ node }) => node).sort()).toEqual(['lost', 'one']);
});

it('goes on where the keyspace is away', async () => {
  const keyspace = await memory();
  await keyspace.close();
  const report = new NodeReporting({ keyspace, report: reporting(new Registry()), shownSeconds, log });
  vi.advanceTimersByTime(10_000);
  await report[Symbol.asyncDispose]();
  expect([vi.getTimerCount(), lines]).toEqual([0, []]);
});

it('tells of a fault, and harms nothing', async () => {
  const registry = new Registry();
  registry.metrics.keyspaceState.observe(() => {
    throw new TypeError('a bug');
  });
  await using report = new NodeReporting({ keyspace: await memory(), report: reporting(registry), shownSeconds, log });
  await report[Symbol.asyncDispose]();
  expect(lines.join()).toMatch(/node\.unreported.*a bug/);
});
