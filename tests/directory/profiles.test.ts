import { createHash } from 'node:crypto';
import { directoryOf } from '@parley/server/auth/ldap/testing';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { personDn } from '../services/slapd-files.ts';
import type { TestClient } from '../support/client.ts';
import { answer, sendAuth } from '../support/login.ts';
import { jpeg } from '../support/profiles.ts';
import type { TestServer } from '../support/server.ts';
import { startDirectoryServer, stranger } from './server.ts';

let slapd: Slapd;
beforeAll(async () => {
  slapd = await Slapd.startLasting();
});
afterAll(() => slapd.end());

const serve = (directory: object = {}) => startDirectoryServer(slapd, { directory });

/** Whoever follows the directory knows everybody. */
const followed = (server: TestServer) =>
  expect.poll(() => server.log.some(({ event }) => event === 'directory.followed')).toBe(true);

const EMPTY = `<vCard xmlns='${NS.vcard}'/>`;
const vcardOf = async (client: TestClient, to?: string) => (await client.request('get', EMPTY, to)).firstChild;
const set = async (client: TestClient, content: string) => {
  const error = (await client.request('set', `<vCard xmlns='${NS.vcard}'>${content}</vCard>`)).child('error');
  return error && [error.firstChild?.name, error.childText('text', NS.stanzas)];
};

/** Sets attributes of Romeo's entry, some of which are bytes. */
async function change(attributes: Record<string, readonly (string | Buffer)[]>): Promise<void> {
  const lines = Object.entries(attributes).flatMap(([name, values]) => [
    `replace: ${name}`,
    ...values.map((value) => `${name}:: ${Buffer.from(value).toString('base64')}`),
    '-',
  ]);
  await slapd.change(`dn: ${personDn('romeo')}\nchangetype: modify\n${lines.join('\n')}\n`);
}

const NOTHING = { jpegPhoto: [], telephoneNumber: [], mobile: [], title: [], o: [], ou: [], labeledURI: [] };
beforeEach(() => change({ ...NOTHING, displayName: ['Romeo Montague'], cn: ['Romeo Montague'], sn: ['Montague'] }));

describe('the vCard of somebody', () => {
  it('is what the entry says, photo and all, for everybody', async () => {
    await change({
      telephoneNumber: ['+39 45 1', '+39 45 2'],
      mobile: ['+39 45 3'],
      title: ['Lover & friend'],
      o: ['Montague'],
      ou: ['Sons', 'Heirs'],
      labeledURI: ['https://montague.example'],
      jpegPhoto: [jpeg()],
    });
    const server = await serve();
    const juliet = await server.client('juliet@localhost/balcony');
    expect((await vcardOf(juliet, 'romeo@localhost'))?.elements.map((element) => element.toString(NS.vcard))).toEqual([
      '<FN>Romeo Montague</FN>',
      '<TITLE>Lover &amp; friend</TITLE>',
      '<URL>https://montague.example</URL>',
      '<N><FAMILY>Montague</FAMILY><GIVEN>Romeo</GIVEN></N>',
      '<ORG><ORGNAME>Montague</ORGNAME><ORGUNIT>Sons</ORGUNIT><ORGUNIT>Heirs</ORGUNIT></ORG>',
      '<EMAIL><INTERNET/><USERID>romeo@localhost</USERID></EMAIL>',
      '<TEL><CELL/><NUMBER>+39 45 3</NUMBER></TEL>',
      '<TEL><WORK/><VOICE/><NUMBER>+39 45 1</NUMBER></TEL>',
      '<TEL><WORK/><VOICE/><NUMBER>+39 45 2</NUMBER></TEL>',
      `<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>${jpeg().toString('base64')}</BINVAL></PHOTO>`,
    ]);
    const next = (await juliet.request('get', `<vcard xmlns='${NS.vcard4}'/>`, 'romeo@localhost')).firstChild;
    expect(next?.child('photo')?.childText('uri')).toBe(`data:image/jpeg;base64,${jpeg().toString('base64')}`);
  });

  it.each([
    ['server', undefined],
    ['everyone', 'Romeo Montague'],
  ])('is for %s, as far as guests are concerned', async (readers, expected) => {
    const config = { authentication: { mechanisms: ['PLAIN', 'ANONYMOUS'] } } as never;
    const server = await startDirectoryServer(slapd, { directory: { vcard: { readers } }, config });
    const guest = stranger(server);
    sendAuth(guest, 'ANONYMOUS', '=');
    await answer(guest);
    await guest.request('set', `<bind xmlns='${NS.bind}'/>`);
    const said = await guest.request('get', EMPTY, 'romeo@localhost');
    expect([said.attr('type'), said.firstChild?.childText('FN')]).toEqual([expected ? 'result' : 'error', expected]);
  });

  it('takes the attributes that the configuration names, and leaves the rest to the user', async () => {
    await change({ title: ['Lover'], mobile: ['7'] });
    const fields = { fullName: ['cn'], title: [], role: ['title'], mobile: [] };
    const server = await serve({ vcard: { fields } });
    const romeo = await server.client('romeo@localhost/orchard');
    expect(await set(romeo, '<TITLE>Son</TITLE><TEL><CELL/><NUMBER>8</NUMBER></TEL>')).toBeUndefined();
    const vcard = await vcardOf(romeo);
    expect([vcard?.childText('ROLE'), vcard?.childText('TITLE'), vcard?.child('TEL')?.childText('NUMBER')]).toEqual([
      'Lover',
      'Son',
      '8',
    ]);
  });

  it('is the user’s own where vCards are switched off', async () => {
    const server = await serve({ vcard: { enabled: false } });
    const romeo = await server.client('romeo@localhost/orchard');
    expect(await set(romeo, '<FN>Rome</FN>')).toBeUndefined();
    expect((await vcardOf(romeo))?.childText('FN')).toBe('Rome');
  });

  it.each(['contentSynchronisation', 'polling'])(
    'is asked for anew when it changes in the directory, which %s tells',
    async (mode) => {
      const synchronisation = { mode, pollSeconds: 1 };
      const server = await serve({ vcard: { cacheSeconds: 3600 }, synchronisation });
      const romeo = await server.client('romeo@localhost/orchard');
      const name = async () => (await vcardOf(romeo))?.childText('FN');
      await followed(server);
      expect(await name()).toBe('Romeo Montague');
      await change({ displayName: ['Romeo M.'] });
      await expect.poll(name).toBe('Romeo M.');
    },
  );

  it('is asked for anew when its time is over, where the directory does not tell', async () => {
    const synchronisation = { mode: 'polling', pollSeconds: 3600 };
    const server = await serve({ vcard: { cacheSeconds: 1 }, synchronisation });
    const romeo = await server.client('romeo@localhost/orchard');
    const name = async () => (await vcardOf(romeo))?.childText('FN');
    expect(await name()).toBe('Romeo Montague');
    await change({ displayName: ['Romeo M.'] });
    await expect.poll(name).toBe('Romeo M.');
  });
});

describe('a photo', () => {
  it.each([
    ['too large', Buffer.concat([jpeg(), Buffer.alloc(2000)])],
    ['no picture', Buffer.from('<svg/>')],
  ])('that is %s is left out, which is said once', async (_, bytes) => {
    await change({ jpegPhoto: [bytes] });
    const server = await serve({ vcard: { maxPhotoBytes: 2000, cacheBytes: 1 } });
    const romeo = await server.client('romeo@localhost/orchard');
    for (let i = 0; i < 3; i++) expect((await vcardOf(romeo))?.child('PHOTO')).toBeUndefined();
    expect(server.log.filter(({ event }) => event === 'directory.photo-left-out')).toMatchObject([
      { account: 'romeo@localhost' },
    ]);
  });

  it('is noted in presence', async () => {
    await change({ jpegPhoto: [jpeg('hello')] });
    const server = await serve();
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send('<presence/>');
    const update = (await romeo.nextPresence()).child('x', NS.vcardUpdate);
    expect(update?.childText('photo')).toBe(createHash('sha1').update(jpeg('hello')).digest('hex'));
  });
});

describe('a photo that changes in the directory', () => {
  const hash = (text: string) => createHash('sha1').update(jpeg(text)).digest('hex');
  const shown = (presence: Element) => presence.child('x', NS.vcardUpdate)?.childText('photo');

  it('is shown by the presence of its owner at once, and so is that there is none', async () => {
    await change({ jpegPhoto: [jpeg('young')] });
    const server = await serve({ vcard: { cacheSeconds: 3600 } });
    await followed(server);
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send('<presence><status>Aye me</status></presence>');
    expect(shown(await romeo.nextPresence())).toBe(hash('young'));
    for (const [photo, expected] of [
      [[jpeg('old')], hash('old')],
      [[], ''],
    ] as const) {
      await change({ jpegPhoto: photo });
      const presence = await romeo.nextPresence();
      expect([shown(presence), presence.childText('status')]).toEqual([expected, 'Aye me']);
    }
    await change({ title: ['Lover'] }); // it is no photo
    await expect.poll(async () => (await vcardOf(romeo))?.childText('TITLE')).toBe('Lover');
    await change({ jpegPhoto: [jpeg('older')] });
    expect(shown(await romeo.nextPresence())).toBe(hash('older'));
  });
});

describe('what the user changes', () => {
  it('is refused where the directory has it', async () => {
    const server = await serve();
    const romeo = await server.client('romeo@localhost/orchard');
    expect(await set(romeo, '<FN>Hamlet</FN>')).toEqual([
      'not-allowed',
      'This comes from the directory, where it has to be changed: full name.',
    ]);
  });

  it('goes to the directory where it may, at once', async () => {
    const server = await serve({ vcard: { writable: ['mobile', 'photo', 'title', 'fullName'] } });
    const romeo = await server.client('romeo@localhost/orchard');
    const photo = `<PHOTO><BINVAL>${jpeg('mine').toString('base64')}</BINVAL></PHOTO>`;
    const mobiles = ['+1 2', '+3 4'].map((number) => `<TEL><CELL/><NUMBER>${number}</NUMBER></TEL>`).join('');
    expect(await set(romeo, `${mobiles}${photo}<TITLE>Lover</TITLE>`)).toBeUndefined();
    const directory = directoryOf(slapd);
    const entry = async () => {
      const filter = directory.settings.people.filter;
      const attributes = ['mobile', 'jpegPhoto', 'title', 'displayName'];
      const [found] = await directory.search(personDn('romeo'), { scope: 'base', filter, attributes });
      return found;
    };
    expect((await entry())?.texts('mobile')).toEqual(['+1 2', '+3 4']);
    expect((await entry())?.attributes.get('jpegphoto')?.[0]).toEqual(jpeg('mine'));
    const vcard = await vcardOf(romeo);
    expect([vcard?.childText('TITLE'), vcard?.child('PHOTO')?.childText('TYPE')]).toEqual(['Lover', 'image/jpeg']);
    expect(await set(romeo, '<TITLE/><PHOTO/><FN>Romeo M.</FN>')).toBeUndefined();
    expect([
      (await entry())?.text('title'),
      (await entry())?.text('jpegPhoto'),
      (await entry())?.text('displayName'),
    ]).toEqual([undefined, undefined, 'Romeo M.']);
  });

  it('is no photo that nobody would be shown', async () => {
    const server = await serve({ vcard: { writable: ['photo'], maxPhotoBytes: 1000 } });
    const romeo = await server.client('romeo@localhost/orchard');
    const photo = (bytes: Buffer) => `<PHOTO><BINVAL>${bytes.toString('base64')}</BINVAL></PHOTO>`;
    expect(await set(romeo, photo(Buffer.concat([jpeg(), Buffer.alloc(1000)])))).toEqual([
      'policy-violation',
      'A photo may have up to 1000 bytes.',
    ]);
    expect((await set(romeo, photo(Buffer.from('<svg/>'))))?.[0]).toBe('not-acceptable');
    expect((await vcardOf(romeo))?.child('PHOTO')).toBeUndefined();
  });

  it('comes back with the words of the directory where that refuses it', async () => {
    const server = await serve({ vcard: { writable: ['familyName', 'mobile'] } });
    const romeo = await server.client('romeo@localhost/orchard');
    const refused = await set(romeo, '<N><FAMILY/></N>');
    expect(refused?.[0]).toBe('not-acceptable');
    expect(refused?.[1]).toMatch(/^The directory refuses: /);
    expect((await vcardOf(romeo))?.child('N')?.childText('FAMILY')).toBe('Montague');
  });
});

it('says that it cannot be asked while the directory is away, and comes back by itself', async () => {
  const own = await Slapd.start();
  const server = await startDirectoryServer(own);
  const romeo = await server.client('romeo@localhost/orchard');
  await own.stop();
  const error = (await romeo.request('get', EMPTY)).child('error');
  expect([error?.attr('type'), error?.firstChild?.name]).toEqual(['wait', 'resource-constraint']);
  await own.restart();
  await expect.poll(async () => (await vcardOf(romeo))?.childText('FN')).toBe('Romeo Montague');
});
