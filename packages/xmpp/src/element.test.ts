import { describe, expect, it } from 'vitest';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';

const body = Element.of('body', NS.client, {}, 'hi ', Element.of('b', NS.client), 'there');
const message = Element.of(
  'message',
  NS.client,
  { to: 'a@b.lit', id: 7, type: undefined },
  body,
  Element.of('x', 'urn:x'),
);

describe('Element', () => {
  it('is asked for attributes, children and text', () => {
    expect(message.attributes).toEqual(['to', 'a@b.lit', 'id', '7']);
    expect([message.attr('id'), message.attr('type'), message.attr('7')]).toEqual(['7', undefined, undefined]);
    expect(message.child('body')).toBe(body);
    expect(message.child('x')).toBeUndefined();
    expect(message.child('x', 'urn:x')).toBe(message.childOf('urn:x'));
    expect(message.firstChild).toBe(body);
    expect(message.elements).toHaveLength(2);
    expect([body.text, message.text, message.childText('body'), message.childText('subject')]).toEqual([
      'hi there',
      '',
      'hi there',
      undefined,
    ]);
    expect([body.is('body', NS.client), body.is('body', NS.server), body.is('b', NS.client)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('is never changed: what changes is a copy, without the text that came', () => {
    const received = new Element('a', 'urn:a', ['x', '1', 'y', '2'], ['text'], 'text</a>');
    expect(received.withAttr('x', '3').attributes).toEqual(['y', '2', 'x', '3']);
    expect(received.withAttr('y', undefined).attributes).toEqual(['x', '1']);
    expect(received.append('more').children).toEqual(['text', 'more']);
    expect(received.with({ ns: 'urn:b', children: [] }).toString()).toBe(`<a xmlns='urn:b' x='1' y='2'/>`);
    for (const copy of [received.withAttr('x', '3'), received.append('more'), received.with({})]) {
      expect(copy.source).toBeUndefined();
    }
    expect(received.toString()).toBe(`<a xmlns='urn:a' x='1' y='2'>text</a>`);
  });
});

describe('what an element is written as', () => {
  const xmlElement = Element.of('id', NS.xml, {}, Element.of('y', 'urn:x'), Element.of('z', ''));
  it.each([
    [
      'its own namespace, unless that is the default one',
      message,
      NS.client,
      `<message to='a@b.lit' id='7'><body>hi <b/>there</body><x xmlns='urn:x'/></message>`,
    ],
    ['its own namespace where there is none', body, '', `<body xmlns='jabber:client'>hi <b/>there</body>`],
    ['no namespace inside of one', Element.of('a', 'urn:a', {}, Element.of('b', '')), 'urn:a', `<a><b xmlns=''/></a>`],
    ['a namespace that has to be escaped', Element.of('a', `'<&>"`), '', `<a xmlns='&apos;&lt;&amp;&gt;&quot;'/>`],
    [
      'attributes of other namespaces',
      new Element('a', '', ['{urn:p}b', '1', '{urn:q}b', '2', 'b', '3', 'xml:lang', 'en']),
      '',
      `<a xmlns:a0='urn:p' a0:b='1' xmlns:a2='urn:q' a2:b='2' b='3' xml:lang='en'/>`,
    ],
    ['a namespace with braces', new Element('a', '', ['{u}{v}b', '1']), '', `<a xmlns:a0='u}{v' a0:b='1'/>`],
    // Namespaces in XML §3: the xml namespace may not be the default one
    [
      'an element of the xml namespace',
      Element.of('x', 'urn:x', {}, xmlElement),
      '',
      `<x xmlns='urn:x'><xml:id><y/><z xmlns=''/></xml:id></x>`,
    ],
    [
      'text that has to be escaped',
      Element.of('a', '', { b: `'\n` }, '<&>'),
      '',
      `<a b='&apos;&#10;'>&lt;&amp;&gt;</a>`,
    ],
  ])('%s', (_, element, context, text) => {
    expect(element.toString(context)).toBe(text);
  });
});
