import { Jid } from '@parley/xmpp/jid';
import { Attribute, Change, EqualityFilter, PagedResultsControl, PresenceFilter } from 'ldapts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ActiveDirectory } from '../../../../../tests/services/active-directory.ts';
import { entryAnswer, resultAnswer } from '../../../../../tests/services/ldap-answers.ts';
import { Slapd } from '../../../../../tests/services/slapd.ts';
import { GROUPS, PEOPLE, POLICIES, personDn, personEntry, SUFFIX } from '../../../../../tests/services/slapd-files.ts';
import { Log } from '../../log.ts';
import { RESPONSE, readMessage } from './connection/message.ts';
import { MessageFramer } from './connection/message-framer.ts';
import { DirectoryRefused } from './directory-error.ts';
import { filterOf, idAttribute } from './entry-id.ts';
import { LdapDirectory } from './ldap-directory.ts';
import { closedWithTest, directoryEntry, directoryOf, HeardLog, rudeServer, settingsFor } from './testing.ts';

const jid = (local: string) => Jid.of(local, 'localhost');
const anything = new PresenceFilter({ attribute: 'objectClass' });
/** The entries that are found by the id of a person. */
async function dnsById(directory: LdapDirectory, id: string): Promise<string[]> {
  const filter = filterOf(id, idAttribute(directory.settings));
  return (await directory.search(directory.settings.people.base, { filter, attributes: [] })).map(({ dn }) => dn);
}

let slapd: Slapd;
beforeAll(async () => {
  slapd = await Slapd.startLasting({ ldif: [1, 2].map((each) => personEntry(`twin${each}`, 'Double')).join('') });
  await slapd.modify(personDn('twin1'), { mail: ['twin@localhost'] });
  await slapd.modify(personDn('twin2'), { mail: ['Twin@localhost'] });
});
afterAll(() => slapd.end());

describe('a person', () => {
  test('is found by the address, and by the id', async () => {
    const directory = directoryOf(slapd);
    const romeo = await directory.findPerson(jid('romeo'));
    expect(romeo).toMatchObject({ dn: personDn('romeo'), state: { kind: 'active' } });
    expect(romeo?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(await dnsById(directory, romeo?.id ?? '')).toEqual([personDn('romeo')]);
    expect(await directory.findPerson(jid('rosaline'))).toBeUndefined();
    expect(await dnsById(directory, '00000000-0000-0000-0000-000000000000')).toEqual([]);
    expect(await dnsById(directory, 'no id')).toEqual([]);
  });

  test('keeps the id under another name and another address', async () => {
    const directory = directoryOf(slapd);
    const before = await directory.findPerson(jid('benvolio'));
    await slapd.change(`dn: ${personDn('benvolio')}\nchangetype: modrdn\nnewrdn: uid=ben\ndeleteoldrdn: 1\n`);
    await slapd.modify(personDn('ben'), { mail: ['Ben@LocalHost'] });
    const after = await directory.findPerson(jid('ben'));
    expect(after).toMatchObject({ id: before?.id, dn: personDn('ben') });
    expect(await directory.findPerson(jid('benvolio'))).toBeUndefined();
  });

  test('is nobody where two entries have the address', async () => {
    const heard = new HeardLog();
    const directory = directoryOf(slapd, {}, heard.log);
    expect(await directory.findPerson(jid('twin'))).toBeUndefined();
    expect(await heard.hear('directory.ambiguous')).toMatchObject({
      directory: 'corp',
      account: 'twin@localhost',
      entries: [personDn('twin1'), personDn('twin2')],
    });
  });

  test('may have a name for an address, below a domain that is configured', async () => {
    const directory = directoryOf(slapd, { people: { base: PEOPLE, address: 'uid', domain: 'localhost' } });
    expect((await directory.findPerson(jid('juliet')))?.account.bareText).toBe('juliet@localhost');
  });

  test('may have an address that has to be escaped', async () => {
    await slapd.modify(personDn('nurse'), { mail: ["o'nurse@localhost"] });
    const directory = directoryOf(slapd);
    expect((await directory.findPerson(Jid.parse('o\\27nurse@localhost')))?.dn).toBe(personDn('nurse'));
  });

  test('may be in a domain that mail addresses write in ASCII', async () => {
    await slapd.change(personEntry('ines', 'Nunez', 'xn--espaa-rta.example'));
    const settings = settingsFor(directoryEntry(slapd), ['españa.example']);
    const directory = closedWithTest(new LdapDirectory(settings, Log.create({ level: 'silent' })));
    const ines = await directory.findPerson(Jid.parse('ines@españa.example'));
    expect(ines?.account.bareText).toBe('ines@españa.example');
  });

  test('is one that the filter of people wants, in a domain of the directory', async () => {
    const people = { base: PEOPLE, filter: '(&(objectClass=inetOrgPerson)(!(uid=tybalt)))' };
    const directory = directoryOf(slapd, { people });
    expect(await directory.findPerson(jid('tybalt'))).toBeUndefined();
    expect(await directory.findPerson(jid('romeo'))).toBeDefined();
    expect(await directory.findPerson(Jid.parse('romeo@elsewhere.example'))).toBeUndefined();
    const narrow = directoryOf(slapd, { people: { base: SUFFIX, scope: 'one' } });
    expect(await narrow.findPerson(jid('romeo'))).toBeUndefined();
  });

  // whatever of these an address may hold at all
  test.each([
    '*',
    'rom*',
    '*)(uid=*',
    'romeo)(|(uid=*',
    'romeo)(uid=romeo',
    '\\2a',
    'rom\\65o',
    '\u00e9',
    '(',
    '!',
    '|',
    '=',
  ])('is not found by %j', async (local) => {
    const directory = directoryOf(slapd);
    const account = Jid.tryParse(`${local}@localhost`);
    if (account !== undefined) expect(await directory.findPerson(account)).toBeUndefined();
    const filter = new EqualityFilter({ attribute: 'uid', value: local });
    expect(await directory.search(PEOPLE, { filter, attributes: ['uid'] })).toEqual([]);
  });
});

describe('a search', () => {
  test('gives bytes as bytes, operational attributes by name, and groups', async () => {
    const photo = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('\u0000\ufeffabc')]);
    const line = `jpegPhoto:: ${photo.toString('base64')}`;
    await slapd.change(`dn: ${personDn('romeo')}\nchangetype: modify\nreplace: jpegPhoto\n${line}\n-\n`);
    const directory = directoryOf(slapd);
    const attributes = ['jpegPhoto', 'memberOf', 'title'];
    const [entry] = await directory.search(personDn('romeo'), { scope: 'base', filter: anything, attributes });
    expect(entry?.attributes.get('jpegphoto')).toEqual([photo]);
    expect(entry?.texts('memberof').sort()).toEqual([`cn=lovers,${GROUPS}`, `cn=montagues,${GROUPS}`]);
    expect(entry?.text('title')).toBeUndefined();
  });

  test('tells why it is refused', async () => {
    const directory = directoryOf(slapd);
    const nowhere = directory.search(`ou=nowhere,${SUFFIX}`, { filter: anything, attributes: [] });
    await expect(nowhere).rejects.toThrow(DirectoryRefused);
    await expect(nowhere).rejects.toMatchObject({ code: 32 });
  });

  test('goes by pages, and gives the connection back when nobody wants more', async () => {
    const directory = directoryOf(slapd, { connections: 1 });
    const sizes: number[] = [];
    const all = { filter: new PresenceFilter({ attribute: 'mail' }), attributes: ['mail'], pageSize: 4 };
    for await (const page of directory.searchPages(PEOPLE, all)) sizes.push(page.length);
    expect(sizes).toEqual([4, 4, 1]);
    for await (const page of directory.searchPages(PEOPLE, all)) if (page.length > 0) break;
    expect(await directory.findPerson(jid('romeo'))).toBeDefined();
  });

  test('does not end at a page without entries', async () => {
    let pages = 0;
    const control = (cookie: string) => {
      const value = Buffer.concat([
        Buffer.from([0x30, 5 + cookie.length, 2, 1, 0, 4, cookie.length]),
        Buffer.from(cookie),
      ]);
      return [{ oid: PagedResultsControl.type, value }];
    };
    const { url } = await rudeServer((socket) => {
      const framer = new MessageFramer(100_000);
      socket.on('data', (bytes: Buffer) => {
        for (const { id, operation } of framer.push(bytes).map(readMessage)) {
          if (operation === 0x60) socket.write(resultAnswer(id, RESPONSE.bind));
          if (operation !== 0x63) continue;
          pages++;
          if (pages !== 2) socket.write(entryAnswer(id, `uid=${pages}`, [['uid', [`${pages}`]]]));
          socket.write(resultAnswer(id, RESPONSE.searchDone, { controls: control(pages < 3 ? 'more' : '') }));
        }
      });
    });
    const directory = directoryOf(slapd, { servers: [url], startTls: false, allowUnencrypted: true });
    const found: string[] = [];
    for await (const page of directory.searchPages('', { filter: anything, attributes: ['uid'] })) {
      found.push(...page.map(({ dn }) => dn));
    }
    expect(found).toEqual(['uid=1', 'uid=3']);
  });
});

describe('a password', () => {
  test('is tried as the person', async () => {
    const directory = directoryOf(slapd);
    expect(await directory.bindAs(personDn('romeo'), 'pw-romeo')).toMatchObject({ kind: 'accepted', proved: true });
    expect(await directory.bindAs(personDn('romeo'), 'wrong')).toMatchObject({ kind: 'wrong', code: 49 });
    expect(await directory.bindAs(personDn('nobody'), 'wrong')).toMatchObject({ kind: 'wrong', code: 49 });
    expect((await directory.findPerson(jid('romeo')))?.dn).toBe(personDn('romeo')); // still as the service
  });

  test('that is empty is shown to nobody', async () => {
    const { url, taken } = await rudeServer();
    const directory = directoryOf(slapd, { servers: [url] });
    expect(await directory.bindAs(personDn('romeo'), '')).toMatchObject({ kind: 'wrong', proved: false });
    expect(await directory.bindAs('', 'password')).toMatchObject({ kind: 'wrong' });
    await expect(directory.changePassword(personDn('romeo'), { old: '', new: 'new' })).rejects.toThrow('empty');
    expect(taken).toEqual([]);
  });

  test('is changed by its owner, and by Parley', async () => {
    const directory = directoryOf(slapd);
    const dn = personDn('mercutio');
    await directory.changePassword(dn, { old: 'pw-mercutio', new: 'a plague' });
    expect(await directory.bindAs(dn, 'a plague')).toMatchObject({ kind: 'accepted' });
    await expect(directory.changePassword(dn, { old: 'wrong', new: 'new' })).rejects.toMatchObject({ code: 49 });
    await directory.changePassword(dn, { new: 'both your houses' });
    expect(await directory.bindAs(dn, 'both your houses')).toMatchObject({ kind: 'accepted' });
  });

  test('that the policy does not want is refused with its reason', async () => {
    const directory = directoryOf(slapd);
    const dn = personDn('tybalt');
    await slapd.modify(dn, { pwdPolicySubentry: [`cn=strict,${POLICIES}`] });
    const short = directory.changePassword(dn, { old: 'pw-tybalt', new: 'short' });
    await expect(short).rejects.toMatchObject({ code: 19, policyError: 6 });
    await directory.changePassword(dn, { old: 'pw-tybalt', new: 'king of cats, long' });
    const again = directory.changePassword(dn, { old: 'king of cats, long', new: 'king of cats, long' });
    await expect(again).rejects.toMatchObject({ code: 19, policyError: 8 });
  });
});

test('an entry is changed as the account that Parley has', async () => {
  const directory = directoryOf(slapd);
  const modification = new Attribute({ type: 'title', values: ['Prince'] });
  const change = [new Change({ operation: 'replace', modification })];
  await directory.modify(personDn('romeo'), change);
  const [entry] = await directory.search(personDn('romeo'), { scope: 'base', filter: anything, attributes: ['title'] });
  expect(entry?.text('title')).toBe('Prince');
  await expect(directory.modify(`cn=nobody,${PEOPLE}`, change)).rejects.toMatchObject({ code: 32 });
});

test('the server tells of itself', async () => {
  const dse = await directoryOf(slapd).rootDse();
  expect(dse.texts('namingContexts')).toEqual([SUFFIX]);
  expect(dse.texts('supportedControl')).toContain('1.3.6.1.4.1.4203.1.9.1.1');
});

test('Active Directory is asked in its own way', async () => {
  const ad = await ActiveDirectory.start();
  const guid = ad.addPerson('romeo').guid;
  ad.addPerson('locked', { lockoutTime: '133000000000000000' });
  const entry = {
    name: 'corp',
    type: 'activeDirectory',
    servers: [ad.url],
    startTls: false,
    allowUnencrypted: true,
    bind: ActiveDirectory.service,
    people: { base: ActiveDirectory.people },
  };
  const settings = settingsFor(entry, ['example.org']);
  const directory = closedWithTest(new LdapDirectory(settings, Log.create({ level: 'silent' })));
  const romeo = await directory.findPerson(Jid.parse('romeo@example.org'));
  expect(romeo).toMatchObject({ state: { kind: 'active' } });
  expect(romeo?.id.replaceAll('-', '')).toHaveLength(guid.length * 2);
  expect(await dnsById(directory, romeo?.id ?? '')).toEqual([romeo?.dn]);
  const dn = romeo?.dn ?? '';
  expect(await directory.bindAs(dn, 'pw-romeo')).toMatchObject({ kind: 'accepted' });
  expect(await directory.bindAs(dn, 'wrong')).toMatchObject({ kind: 'wrong', proved: false });
  await directory.changePassword(dn, { old: 'pw-romeo', new: 'Ros4line!' });
  expect(await directory.bindAs(dn, 'Ros4line!')).toMatchObject({ kind: 'accepted' });
  ad.disable('romeo');
  expect(await directory.bindAs(dn, 'Ros4line!')).toMatchObject({ kind: 'disabled', proved: true });
  expect((await directory.findPerson(Jid.parse('romeo@example.org')))?.state).toEqual({ kind: 'disabled' });
  expect((await directory.findPerson(Jid.parse('locked@example.org')))?.state).toEqual({ kind: 'locked' });
});
