import { elementFromText } from '@parley/xmpp/element-text';
import { expect, it } from 'vitest';
import { vcardOfNodes } from './vcard-nodes.ts';

const read = (...nodes: [name: string, item: string][]) => {
  const items = nodes.map(
    ([name, item]) =>
      `<items node='${name}'><item id='old'><x xmlns='urn:x'/></item><item id='1'>${item}</item></items>`,
  );
  const { vcard, others } = vcardOfNodes(
    elementFromText(`<pubsub xmlns='http://jabber.org/protocol/pubsub'>${items.join('')}</pubsub>`),
  );
  return [vcard?.toString(), others];
};
const card = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>J</text></fn></vcard>";
const avatar = "<data xmlns='urn:xmpp:avatar:data'>AA\nAA</data>";
const facts = "<metadata xmlns='urn:xmpp:avatar:metadata'><info type='image/jpeg' id='1' bytes='3'/></metadata>";

it('makes a vCard of the newest items, with the picture', () => {
  expect(
    read(['urn:xmpp:vcard4', card], ['urn:xmpp:avatar:data', avatar], ['urn:xmpp:avatar:metadata', facts]),
  ).toEqual([
    "<vCard xmlns='vcard-temp'><FN>J</FN><PHOTO><TYPE>image/jpeg</TYPE><BINVAL>AAAA</BINVAL></PHOTO></vCard>",
    [],
  ]);
  expect(read(['urn:xmpp:avatar:data', avatar])).toEqual([
    "<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO></vCard>",
    [],
  ]);
});

it('names the nodes that are nothing of that', () => {
  expect(read(['urn:xmpp:bookmarks:1', '<x/>'], ['urn:xmpp:vcard4', '<x/>'])).toEqual([
    undefined,
    ['urn:xmpp:bookmarks:1'],
  ]);
});
