import { NS } from '@parley/xmpp/namespaces';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { expect, test } from 'vitest';
import { elementsOf, fieldsOf, PROFILE_FIELDS, type ProfileField } from './profile-fields.ts';

const elements = (content: string) =>
  stanzaFromText(Buffer.from(`<iq><vCard xmlns='${NS.vcard}'>${content}</vCard></iq>`)).payload?.elements ?? [];

test('every field is said in a vCard, and read from it', () => {
  const values = new Map(PROFILE_FIELDS.map((field) => [field, [`the ${field}`]] as const));
  const read = new Map<ProfileField, readonly string[]>();
  for (const element of elementsOf(values)) for (const [field, texts] of fieldsOf(element)) read.set(field, texts);
  expect(new Map([...read].sort())).toEqual(new Map([...values].sort()));
});

test('several values are several elements, where a vCard can have them', () => {
  const values = new Map<ProfileField, string[]>([
    ['phone', ['1', '2']],
    ['email', ['a@b', 'c@d']],
    ['unit', ['Stage', 'Cellar']],
    ['organization', ['Globe']],
  ]);
  expect(elementsOf(values).map((element) => element.toString(NS.vcard))).toEqual([
    '<ORG><ORGNAME>Globe</ORGNAME><ORGUNIT>Stage</ORGUNIT><ORGUNIT>Cellar</ORGUNIT></ORG>',
    '<EMAIL><INTERNET/><USERID>a@b</USERID></EMAIL>',
    '<EMAIL><INTERNET/><USERID>c@d</USERID></EMAIL>',
    '<TEL><WORK/><VOICE/><NUMBER>1</NUMBER></TEL>',
    '<TEL><WORK/><VOICE/><NUMBER>2</NUMBER></TEL>',
  ]);
});

test.each([
  ['<TEL><NUMBER>1</NUMBER></TEL>', 'phone'],
  ['<TEL><WORK/><VOICE/><NUMBER>1</NUMBER></TEL>', 'phone'],
  ['<TEL><HOME/><NUMBER>1</NUMBER></TEL>', 'homePhone'],
  ['<TEL><CELL/><WORK/><NUMBER>1</NUMBER></TEL>', 'mobile'],
  ['<TEL><WORK/><FAX/><NUMBER>1</NUMBER></TEL>', 'fax'],
  ['<TEL><PAGER/><NUMBER>1</NUMBER></TEL>', 'pager'],
])('%s is the %s', (content, field) => {
  expect(elements(content).flatMap(fieldsOf)).toEqual([[field, ['1']]]);
});

test('what is nobody’s field is left to the user', () => {
  const others = '<ADR><HOME/><LOCALITY>Verona</LOCALITY></ADR><JABBERID>a@b</JABBERID><x xmlns="urn:x"/>';
  expect(elements(others).flatMap(fieldsOf)).toEqual([]);
  expect(elements('<FN>  </FN>').flatMap(fieldsOf)).toEqual([['fullName', []]]);
});
