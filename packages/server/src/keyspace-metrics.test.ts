import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Registry } from '@parley/metrics/registry';
import { expect, it } from 'vitest';
import { keyspaceMetrics, observeKeyspace } from './keyspace-metrics.ts';
import { Log } from './log.ts';

it('counts commands, their time and why they fail', () => {
  const { metrics } = new Registry();
  const observer = keyspaceMetrics(metrics, Log.create({ level: 'silent' }));
  observer.command?.('get', 2, undefined);
  observer.command?.('hset', 3, 'full');
  expect(metrics.keyspaceCommands.value).toBe(2);
  expect(metrics.keyspaceDuration.sum).toBeCloseTo(0.005);
  expect(metrics.keyspaceErrors.with({ cause: 'disk' }).value).toBe(1);
});

it('logs what an operator should read', () => {
  const lines: string[] = [];
  const log = Log.create({ output: { write: (line) => lines.push(line) } });
  keyspaceMetrics(new Registry().metrics, log).warning?.('the disk is nearly full');
  expect(lines[0]).toContain('the disk is nearly full');
});

it('tells what is the matter', () => {
  const { metrics } = new Registry();
  const keyspace: Parameters<typeof observeKeyspace>[1] = { state: 'up', trouble: undefined };
  observeKeyspace(metrics, keyspace);
  const { keyspaceState, keyspaceTrouble } = metrics;
  const full = keyspaceTrouble.with({ failure: 'full' });
  const slow = keyspaceTrouble.with({ failure: 'slow' });
  expect([keyspaceState.value, full.value, slow.value]).toEqual([1, 0, 0]);
  Object.assign(keyspace, { state: 'down', trouble: new KeyspaceError('full', 'There is no room.') });
  expect([keyspaceState.value, full.value, slow.value]).toEqual([0, 1, 0]);
});
