import { expect, it } from 'vitest';
import { privateSet } from './private-set.ts';

it('names its results in the order of their numbers', () => {
  expect([0, 1, 2].map((reply) => privateSet.result(reply))).toEqual(['done', 'too-large', 'too-many']);
});
