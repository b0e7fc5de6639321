import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { readHandled } from './handled-number.ts';

it.each([
  ['0', 0],
  ['007', 7],
  ['4294967295', 4294967295],
  ['4294967296', undefined],
  ['99999999999', undefined],
  ['', undefined],
  ['-1', undefined],
  ['1.0', undefined],
  [' 1', undefined],
  ['1e3', undefined],
])('h=%j is %s', (h, expected) => {
  expect(readHandled(Element.of('a', NS.streamManagement, { h }))).toBe(expected);
  expect(readHandled(Element.of('a', NS.streamManagement))).toBeUndefined();
});
