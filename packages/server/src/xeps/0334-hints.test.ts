import { expect, it } from 'vitest';
import module from './0334-hints.ts';

it('announces the namespace of the hints', () => {
  expect(module.features).toEqual(['urn:xmpp:hints']);
});
