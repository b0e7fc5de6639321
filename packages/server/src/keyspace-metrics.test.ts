import { Registry } from '@parley/metrics/registry';
import { expect, it } from 'vitest';
import { keyspaceMetrics } from './keyspace-metrics.ts';
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
