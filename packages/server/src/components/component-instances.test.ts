import { expect, it } from 'vitest';
import { ComponentInstances } from './component-instances.ts';
import type { ComponentStream } from './component-stream.ts';

const stream = (id: string, since: number) => ({ id, domain: 'a.lit', since }) as ComponentStream;
const elsewhere = (id: string, since: number) => ({ id, domain: 'a.lit', since });

it('has the instances of all nodes in the same order everywhere', () => {
  const instances = new ComponentInstances();
  instances.add(stream('b', 2));
  instances.reset('node', [elsewhere('c', 2), elsewhere('a', 3)]);
  instances.add(stream('d', 1));
  const ids = () => instances.of('a.lit').map(({ id }) => id);
  expect(ids()).toEqual(['d', 'b', 'c', 'a']);
  expect(instances.local.map(({ id }) => id)).toEqual(['d', 'b']);
  expect([instances.here('b')?.stream?.id, instances.here('c')]).toEqual(['b', undefined]);
  instances.reset('node', [elsewhere('a', 3)]);
  expect(ids()).toEqual(['d', 'b', 'a']);
  instances.nodeGone('node');
  instances.remove('d');
  expect(ids()).toEqual(['b']);
  instances.remove('b');
  expect(instances.of('a.lit')).toEqual([]);
});
