import { expect, it } from 'vitest';
import { agentAnswer } from './agent-answer.ts';

const fine = { draining: false, able: true, load: 0 };

it.each([
  [0, 100],
  [0.5, 100],
  [0.6, 80],
  [0.75, 50],
  [0.9, 20],
  [0.98, 1],
  [1, 1],
  [7, 1],
])('with a load of %d its weight is %d', (load, weight) => {
  expect(agentAnswer({ ...fine, load })).toBe(`ready up ${weight}%`);
});

it('is down without the keyspace, and takes nobody new while it drains', () => {
  expect(agentAnswer({ ...fine, able: false })).toBe('down');
  expect(agentAnswer({ ...fine, draining: true })).toBe('drain');
  expect(agentAnswer({ draining: true, able: false, load: 1 })).toBe('drain');
});
