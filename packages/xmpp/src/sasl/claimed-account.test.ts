import { expect, it } from 'vitest';
import { claimedAccount } from './claimed-account.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

it.each([
  ['PLAIN', base64('\0Juliet\0secret'), 'juliet@capulet.lit'],
  ['PLAIN', base64('juliet@capulet.lit\0juliet\0secret'), 'juliet@capulet.lit'],
  ['SCRAM-SHA-256', base64('n,,n=juliet,r=abc'), 'juliet@capulet.lit'],
  ['SCRAM-SHA-1-PLUS', base64('p=tls-exporter,a=x,n=juliet,r=abc'), 'juliet@capulet.lit'],
  ['PLAIN', base64('juliet'), undefined],
  ['PLAIN', base64('\0a b\0secret'), undefined],
  ['PLAIN', 'AGEAYg', undefined],
  ['PLAIN', '', undefined],
  ['PLAIN', '=', undefined],
  ['PLAIN', Buffer.from([0, 0xff, 0]).toString('base64'), undefined],
  ['SCRAM-SHA-256', base64('juliet'), undefined],
  ['EXTERNAL', base64('juliet@capulet.lit'), undefined],
  ['ANONYMOUS', '', undefined],
])('%s %s is of %s', (mechanism, text, account) => {
  expect(claimedAccount(mechanism, text, 'capulet.lit')?.toString()).toBe(account);
});
