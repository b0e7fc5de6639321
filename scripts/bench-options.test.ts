import { expect, test } from 'vitest';
import { benchOptions } from './bench-options.ts';

test('a port is enough', () => {
  expect(benchOptions(['--port', '5222'])).toEqual({
    port: 5222,
    keyspace: 'embedded',
    nodes: 1,
    durability: 'process',
  });
});

test('everything can be said', () => {
  const args = ['--port=5222', '--keyspace=redis://[::1]:6379', '--nodes=1', '--data=/tmp/x', '--durability=power'];
  expect(benchOptions(args)).toEqual({
    port: 5222,
    keyspace: 'redis://[::1]:6379',
    nodes: 1,
    data: '/tmp/x',
    durability: 'power',
  });
});

test('several nodes can be had on Redis', () => {
  expect(benchOptions(['--port', '5222', '--keyspace', 'redis', '--nodes', '3'])).toMatchObject({ nodes: 3 });
});

test('help needs nothing else', () => {
  expect(benchOptions(['--help'])).toBeUndefined();
});

test.each([
  [[], '--port must be a number'],
  [['--port', '70000'], '--port must be a number'],
  [['--port', '1', '--keyspace', 'sqlite'], 'write embedded, redis'],
  [['--port', '1', '--nodes', '2'], 'several nodes need --keyspace redis'],
  [['--port', '1', '--keyspace', 'redis', '--nodes', 'two'], '--nodes must be a number'],
  [['--port', '65535', '--keyspace', 'redis', '--nodes', '2'], 'no ports for so many nodes'],
  [['--port', '1', '--durability', 'none'], 'process or power'],
  [['--port', '1', '--speed', 'high'], '--speed'],
])('%j is refused in words', (args, words) => {
  expect(() => benchOptions(args)).toThrow(words);
});
