import { expect, it } from 'vitest';
import { contactForm } from './0157-contact-addresses.ts';

it('names the addresses of each role that has any (XEP-0157 §3)', () => {
  const form = contactForm({
    abuse: ['mailto:abuse@shakespeare.lit', 'xmpp:abuse@shakespeare.lit'],
    admin: [],
    status: ['https://status.shakespeare.lit'],
  });
  expect(String(form)).toBe(
    `<x xmlns='jabber:x:data' type='result'>` +
      `<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>` +
      `<field var='abuse-addresses'><value>mailto:abuse@shakespeare.lit</value><value>xmpp:abuse@shakespeare.lit</value></field>` +
      `<field var='status-addresses'><value>https://status.shakespeare.lit</value></field></x>`,
  );
});

it('says nothing where there are none', () => {
  expect(contactForm({ abuse: [], admin: [] })).toBeUndefined();
});
