import { elementFromText } from '@parley/xmpp/element-text';
import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { readContact } from './written-contact.ts';

const limits = { maxGroupsPerItem: 2, maxNameBytes: 10 };
const read = (attributes: string, content = '') =>
  readContact(
    elementFromText(`<item xmlns='jabber:iq:roster' ${attributes}>${content}</item>`),
    Jid.parse('juliet@x'),
    limits,
  );

it('reads what RFC 6121 §2.1.2 has', () => {
  const groups = '<group>A</group><group>A</group><group/><group>B</group><group>C</group>';
  expect(read("jid='Romeo@X/y' name='R' subscription='from' ask='subscribe' approved='true'", groups)).toEqual({
    jid: Jid.parse('romeo@x'),
    subscription: 'from',
    ask: true,
    approved: true,
    name: 'R',
    groups: ['A', 'B'],
  });
  const plain = {
    jid: Jid.parse('a@b'),
    subscription: 'none',
    ask: false,
    approved: false,
    name: undefined,
    groups: [],
  };
  expect(read("jid='a@b'")).toEqual(plain);
  expect(read("jid='a@b' name='0123456789x'")).toEqual(plain);
  expect(read("jid='a@b' subscription='to' ask='subscribe'")).toEqual({ ...plain, subscription: 'to' }); // it has what it asks for
});

it.each(["jid='@'", "name='x'", "jid='juliet@x'", "jid='a@b' subscription='all'"])(
  'says why it cannot: %s',
  (attributes) => {
    expect(read(attributes)).toEqual(expect.any(String));
  },
);
