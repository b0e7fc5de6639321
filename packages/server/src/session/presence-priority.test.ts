import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { presence } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { expect, it } from 'vitest';
import { priorityOf } from './presence-priority.ts';

const withPriority = (text: string) => presence({}, Element.of('priority', NS.client, {}, text));

it('is 0 where nothing is said', () => {
  expect(priorityOf(presence({}))).toBe(0);
  expect(priorityOf(presence({}, Element.of('priority', 'urn:example:other', {}, '5')))).toBe(0);
});

it.each([
  ['0', 0],
  ['127', 127],
  ['-128', -128],
  ['+5', 5],
  ['007', 7],
  [' 1\n', 1],
])('%j is %i', (text, priority) => {
  expect(priorityOf(withPriority(text))).toBe(priority);
});

it.each(['128', '-129', '', ' ', 'high', '1.5', '1e1', '0x10', '--1', '1 2', '9'.repeat(400), 'Infinity', 'NaN'])(
  '%j is a bad request',
  (text) => {
    expect(() => priorityOf(withPriority(text))).toThrow(
      expect.objectContaining({ condition: 'bad-request', constructor: StanzaError }),
    );
  },
);
