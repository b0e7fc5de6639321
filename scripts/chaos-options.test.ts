import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chaosRun } from './chaos-options.ts';

test('three nodes on Redis are what is broken where nothing is said', () => {
  expect(chaosRun([], 7)).toEqual({
    file: 'tests/chaos/cluster.test.ts',
    env: {
      ...{ CHAOS_SECONDS: '60', CHAOS_SEED: '7', CHAOS_CLIENTS: '100', CHAOS_NODES: '3' },
      ...{ CHAOS_FAILOVER: '1', CHAOS_REPLICAS: '0' },
    },
  });
});

test('one node keeps its data itself, or has it in Redis', () => {
  expect(chaosRun(['--nodes', '1'])).toMatchObject({
    file: 'tests/chaos/chaos.test.ts',
    env: { CHAOS_CLIENTS: '20', CHAOS_NODES: '1' },
  });
  const onRedis = chaosRun(['--nodes=1', '--keyspace=redis', '--minutes=0.5', '--rate=9', '--no-failover', '--seed=3']);
  expect(onRedis).toMatchObject({
    file: 'tests/chaos/cluster.test.ts',
    env: { CHAOS_SECONDS: '30', CHAOS_RATE: '9', CHAOS_FAILOVER: '0', CHAOS_SEED: '3' },
  });
  expect(chaosRun(['--replicas', '1'])).toMatchObject({ env: { CHAOS_FAILOVER: '1', CHAOS_REPLICAS: '1' } });
});

test('a storm is one of the long tests', () => {
  expect(chaosRun(['--storm', '--clients', '300'])).toMatchObject({
    file: 'tests/chaos/storm.long.test.ts',
    env: { CHAOS_CLIENTS: '300', PARLEY_TESTS: 'long' },
  });
  expect(chaosRun(['--storm', '--move'])).toMatchObject({ env: { CHAOS_MOVE: '1' } });
  expect(chaosRun(['--storm', '--fast'])).toMatchObject({ env: { CHAOS_FAST: '1' } });
});

test('what is run is there', () => {
  for (const args of [['--nodes', '1'], ['--nodes', '3'], ['--storm']]) {
    expect(existsSync(chaosRun(args)?.file ?? '')).toBe(true);
  }
});

test('help needs nothing else', () => {
  expect(chaosRun(['--help'])).toBeUndefined();
});

test.each([
  [['--minutes', '0'], '--minutes must be'],
  [['--seed', 'x'], '--seed must be a whole number'],
  [['--clients', '3'], 'an even number'],
  [['--nodes', '0'], '--nodes must be'],
  [['--nodes', '2', '--keyspace', 'embedded'], 'is for one node'],
  [['--keyspace', 'sqlite'], 'embedded or redis'],
  [['--nodes', '1', '--replicas', '1'], 'needs --keyspace redis'],
  [['--replicas', '2'], 'there is one replica'],
  [['--storm', '--nodes', '1', '--keyspace', 'embedded'], 'needs --keyspace redis'],
  [['--speed', '1'], '--speed'],
])('%j is refused in words', (args, words) => {
  expect(() => chaosRun(args)).toThrow(words);
});
