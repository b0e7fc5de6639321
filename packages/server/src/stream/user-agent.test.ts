import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { userAgentOf } from './user-agent.ts';

const ID = 'd4565fa7-4d72-4749-b3d3-740edbf87770';

function told(id: string | undefined, ...words: [name: string, text: string][]) {
  const children = words.map(([name, text]) => Element.of(name, NS.sasl2, {}, text));
  return userAgentOf(Element.of('authenticate', NS.sasl2, {}, Element.of('user-agent', NS.sasl2, { id }, ...children)));
}

test('a client is told from others by its id, and has words for people', () => {
  expect(told(ID.toUpperCase(), ['software', ' AwesomeXMPP '], ['device', 'phone'])).toEqual({
    id: ID,
    software: 'AwesomeXMPP',
    device: 'phone',
  });
});

test.each([undefined, '', 'me', `${ID}0`, `${ID}\n`, ID.replaceAll('-', '')])('%j is no id', (id) => {
  expect(told(id)).toEqual({ id: undefined, software: undefined, device: undefined });
});

test('long words are cut', () => {
  expect(told(ID, ['software', 'x'.repeat(5000)])?.software).toHaveLength(200);
});

test('who says nothing is nobody in particular', () => {
  expect(userAgentOf(Element.of('authenticate', NS.sasl2))).toBeUndefined();
});
