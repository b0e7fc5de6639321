import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { FakeProfiles, jpeg } from '../../../../../tests/support/profiles.ts';
import { startServer } from '../../../../../tests/support/server.ts';
import module from './vcard.ts';

const vcard = (content: string) => `<vCard xmlns='${NS.vcard}'>${content}</vCard>`;
const photo = (bytes: Buffer) => `<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>${bytes.toString('base64')}</BINVAL></PHOTO>`;

let source: FakeProfiles;
let romeo: TestClient;
beforeEach(async () => {
  source = new FakeProfiles();
  source.add('romeo@localhost', {
    values: { fullName: ['Romeo Montague'], givenName: ['Romeo'], familyName: ['Montague'], phone: ['1', '2'] },
    photo: jpeg(),
    fields: ['fullName', 'givenName', 'familyName', 'phone', 'mobile', 'title', 'photo'],
    writable: ['mobile', 'title'],
  });
  const server = await startServer({ modules: [source.module, module] });
  romeo = await server.client('romeo@localhost/orchard');
});

const get = async (client = romeo, to?: string) =>
  String((await client.request('get', vcard(''), to)).firstChild).replace(
    /^<vCard xmlns='vcard-temp'>|<\/vCard>$/g,
    '',
  );

const set = async (content: string) => {
  const error = (await romeo.request('set', vcard(content))).child('error');
  return error && [error.firstChild?.name, error.childText('text', NS.stanzas)];
};

const KNOWN =
  '<FN>Romeo Montague</FN><N><FAMILY>Montague</FAMILY><GIVEN>Romeo</GIVEN></N>' +
  '<TEL><WORK/><VOICE/><NUMBER>1</NUMBER></TEL><TEL><WORK/><VOICE/><NUMBER>2</NUMBER></TEL>';

it('shows what is known elsewhere, and behind it what the user has set', async () => {
  expect(await get()).toBe(KNOWN + photo(jpeg()));
  expect(await set('<NICKNAME>Rome</NICKNAME><ADR><HOME/><LOCALITY>Verona</LOCALITY></ADR>')).toBeUndefined();
  expect(await get()).toBe(
    `${KNOWN}${photo(jpeg())}<NICKNAME>Rome</NICKNAME><ADR><HOME/><LOCALITY>Verona</LOCALITY></ADR>`,
  );
});

it('takes back what it has shown, and keeps nothing of it', async () => {
  const shown = await get();
  expect(await set(`${shown}<DESC>Sighs</DESC>`)).toBeUndefined();
  expect(source.changes).toEqual([]);
  source.known.clear(); // the account is none of the directory any more
  expect(await get()).toBe('<DESC>Sighs</DESC>');
});

describe('what comes from elsewhere', () => {
  it('cannot be set to something else', async () => {
    expect(await set('<FN>Hamlet</FN><DESC>Sighs</DESC>')).toEqual([
      'not-allowed',
      'This comes from the directory, where it has to be changed: full name.',
    ]);
    expect(
      await set(`<TEL><WORK/><NUMBER>3</NUMBER></TEL><N><FAMILY>Capulet</FAMILY></N>${photo(jpeg('other'))}`),
    ).toEqual(['not-allowed', 'This comes from the directory, where it has to be changed: photo, phone, family name.']);
    expect(await get()).toBe(KNOWN + photo(jpeg()));
  });

  it('may be sent in part, or empty, by clients that know of less', async () => {
    expect(await set('<FN/><TEL><NUMBER>2</NUMBER></TEL><N><GIVEN>Romeo</GIVEN></N><PHOTO/>')).toBeUndefined();
    expect(source.changes).toEqual([]);
    expect(await get()).toBe(KNOWN + photo(jpeg()));
  });

  it('is changed there where that is allowed', async () => {
    expect(await set('<TEL><CELL/><NUMBER>7</NUMBER></TEL><TITLE>Lover</TITLE><DESC>Sighs</DESC>')).toBeUndefined();
    expect(source.changes).toEqual([
      {
        values: new Map([
          ['mobile', ['7']],
          ['title', ['Lover']],
        ]),
      },
    ]);
  });

  it('is taken away there by an empty element', async () => {
    source.add('romeo@localhost', { values: { title: ['Lover'] }, photo: jpeg(), writable: ['title', 'photo'] });
    expect(await set('<TITLE/><PHOTO/>')).toBeUndefined();
    expect(source.changes).toEqual([{ values: new Map([['title', []]]), photo: null }]);
  });

  it('comes with the words of whoever refuses it', async () => {
    const server = await startServer({ modules: [source.module, module] });
    const client = await server.client('romeo@localhost/garden');
    await client.request('get', vcard(''));
    source.change = async () => {
      throw new StanzaError('not-acceptable', { text: 'The directory refuses: too long' });
    };
    const error = (await client.request('set', vcard('<TITLE>Lover</TITLE><DESC>x</DESC>'))).child('error');
    expect(error?.childText('text', NS.stanzas)).toBe('The directory refuses: too long');
    expect(await get(client)).not.toContain('DESC');
  });
});

it('gives no half of a vCard while the rest cannot be asked for', async () => {
  source.trouble = new StanzaError('resource-constraint', { type: 'wait', text: 'Away.' });
  const error = (await romeo.request('get', vcard(''))).child('error');
  expect([error?.attr('type'), error?.firstChild?.name]).toEqual(['wait', 'resource-constraint']);
});

describe('vCard4', () => {
  it('is the same vCard, by the request of old and by the node', async () => {
    const expected = '<fn><text>Romeo Montague</text></fn>';
    const raw = (await romeo.request('get', `<vcard xmlns='${NS.vcard4}'/>`)).firstChild;
    expect([raw?.ns, String(raw)]).toEqual([NS.vcard4, expect.stringContaining(expected)]);
    const items = `<pubsub xmlns='${NS.pubsub}'><items node='urn:xmpp:vcard4'/></pubsub>`;
    const node = (await romeo.request('get', items)).firstChild?.child('items')?.child('item');
    expect(String(node?.firstChild)).toBe(String(raw));
    const other = items.replace('urn:xmpp:vcard4', 'urn:other');
    expect((await romeo.request('get', other)).child('error')?.firstChild?.name).toBe('service-unavailable');
  });

  it('of the server says that it is none of a person', async () => {
    const answer = (await romeo.request('get', `<vcard xmlns='${NS.vcard4}'/>`, 'localhost')).firstChild;
    expect(String(answer)).toBe(
      `<vcard xmlns='${NS.vcard4}'><fn><text>localhost</text></fn><kind><text>application</text></kind></vcard>`,
    );
  });
});
