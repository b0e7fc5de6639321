import { expect, it } from 'vitest';
import { partHost } from '../../../../../tests/support/part-host.ts';
import { vcardPart } from './vcard-part.ts';

const vcard = (name: string) => `<vCard xmlns='vcard-temp'><FN>${name}</FN></vCard>`;

it('writes what it reads, and leaves what was there', async () => {
  const host = await partHost(vcardPart);
  expect([host.reads(vcard('x')), host.reads("<vCard xmlns='urn:x'/>")]).toEqual([true, false]);
  expect(await host.written()).toBe('');
  await host.read("<vCard xmlns='vcard-temp'/>");
  expect(await host.read(vcard('J &amp; C'))).toEqual([]);
  await host.read(vcard('other'));
  expect(await host.written()).toBe(vcard('J &amp; C'));
  await host.clear();
  expect(await host.written()).toBe('');
});

it('reads what others keep as nodes, and names the rest', async () => {
  const host = await partHost(vcardPart);
  const fn = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>J</text></fn></vcard>";
  const nodes = `<items node='urn:xmpp:vcard4'><item>${fn}</item></items><items node='other'/>`;
  expect(await host.read(`<pubsub xmlns='http://jabber.org/protocol/pubsub'>${nodes}</pubsub>`)).toEqual([
    'There is no PEP here yet, so these nodes are left out: other.',
  ]);
  expect(await host.written()).toBe(vcard('J'));
});

it('leaves out what is too large', async () => {
  const host = await partHost(vcardPart, { modules: { vcard: { maxBytes: 100 } } } as never);
  expect(await host.read(vcard('x'.repeat(100)))).toEqual([expect.stringMatching(/modules\.vcard\.maxBytes/)]);
  expect(await host.written()).toBe('');
});
