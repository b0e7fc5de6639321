import { openKeyspace } from '@parley/keyspace/open';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { VcardStore } from './vcard-store.ts';

const romeo = Jid.parse('romeo@montague.lit');
const text = Element.of('vCard', NS.vcard, {}, Element.of('FN', NS.vcard, {}, 'Romeo & Co.')).toString();

it('keeps one vCard for each account', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  const store = new VcardStore(keyspace);
  await store.set(romeo.withResource('orchard'), text);
  expect(String(await store.get(romeo))).toBe(text);
  expect(await store.get(Jid.parse('juliet@capulet.lit'))).toBeUndefined();
  await store.set(romeo, '');
  expect(await store.get(romeo)).toBeUndefined();
  await keyspace.close();
});
