import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { verificationString } from './caps.ts';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';

const identity = (attributes: Record<string, string>) => Element.of('identity', NS.discoInfo, attributes);
const feature = (name: string) => Element.of('feature', NS.discoInfo, { var: name });
const value = (text: string) => Element.of('value', NS.dataForms, {}, text);
const field = (name: string, type: string | undefined, ...values: string[]) =>
  Element.of('field', NS.dataForms, { var: name, type }, ...values.map(value));
const form = (...fields: Element[]) => Element.of('x', NS.dataForms, { type: 'result' }, ...fields);

// in no order, as an entity may send them
const features = [NS.discoItems, 'http://jabber.org/protocol/muc', NS.caps, NS.discoInfo].map(feature);

it('is that of XEP-0115 §5.2', () => {
  const exodus = identity({ category: 'client', type: 'pc', name: 'Exodus 0.9.1' });
  expect(verificationString([exodus, ...features])).toBe('QgayPKawpkPSDYmwT/WM94uAlu0=');
});

it('is that of XEP-0115 §5.3, with languages and a form', () => {
  const psi = [
    identity({ 'xml:lang': 'en', category: 'client', name: 'Psi 0.11', type: 'pc' }),
    identity({ 'xml:lang': 'el', category: 'client', name: 'Ψ 0.11', type: 'pc' }),
  ];
  const software = form(
    field('software_version', undefined, '0.11'),
    field('FORM_TYPE', 'hidden', 'urn:xmpp:dataforms:softwareinfo'),
    field('ip_version', 'text-multi', 'ipv6', 'ipv4'),
    field('os', undefined, 'Mac'),
    field('os_version', undefined, '10.5.1'),
    field('software', undefined, 'Psi'),
  );
  const expected = 'q07IKJEyjvHSyhy//CH0CxmKi8w=';
  expect(verificationString([...psi, ...features, software])).toBe(expected);
  expect(verificationString([software, ...features.toReversed(), ...psi.toReversed()])).toBe(expected);
});

it('passes over forms that do not say of what type they are', () => {
  const plain = verificationString(features);
  expect(verificationString([...features, form(field('os', undefined, 'Mac'))])).toBe(plain);
  expect(verificationString([...features, form(field('FORM_TYPE', 'text-single', 'urn:example'))])).toBe(plain);
  expect(verificationString([...features, form(field('FORM_TYPE', 'hidden', 'urn:example'))])).not.toBe(plain);
});

it('sorts by the bytes of UTF-8', () => {
  // U+FF5E comes before U+1F600 in UTF-8 and behind it in UTF-16
  const expected = createHash('sha1').update('～<\u{1F600}<').digest('base64');
  expect(verificationString(['\u{1F600}', '～'].map(feature))).toBe(expected);
});

it('sorts names before their ends are marked', () => {
  const expected = createHash('sha1').update('client/pc//<client-x/pc//<urn:a<urn:a#b<').digest('base64');
  const identities = ['client-x', 'client'].map((category) => identity({ category, type: 'pc' }));
  expect(verificationString([...identities, ...['urn:a#b', 'urn:a'].map(feature)])).toBe(expected);
});
