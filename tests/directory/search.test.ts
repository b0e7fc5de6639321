import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { GROUPS, PEOPLE, personDn } from '../services/slapd-files.ts';
import type { TestClient } from '../support/client.ts';
import { answer, sendAuth } from '../support/login.ts';
import { startDirectoryServer, stranger } from './server.ts';

const MANY = Array.from({ length: 70 }, (_, index) => {
  const uid = `servant${String(index).padStart(2, '0')}`;
  return `dn: uid=${uid},${PEOPLE}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: Servant ${index}\nsn: Servant\nmail: ${uid}@localhost\nou: Household\n\n`;
});

let slapd: Slapd;
beforeAll(async () => {
  slapd = await Slapd.startLasting({ ldif: MANY.join('') });
});
afterAll(() => slapd.end());

async function searcher(directory: object = {}, jid = 'romeo@localhost/orchard'): Promise<TestClient> {
  const domains = ['localhost', { name: 'other.lit', accounts: ['internal'] }];
  return (await startDirectoryServer(slapd, { directory, config: { domains } })).client(jid);
}

const ask = (client: TestClient, content: string): Promise<Element> =>
  client.request('set', `<query xmlns='${NS.search}'>${content}</query>`, 'search.localhost');

async function found(client: TestClient, content: string): Promise<(string | undefined)[] | undefined> {
  return (await ask(client, content)).firstChild?.elements
    .filter(({ name }) => name === 'item')
    .map((item) => item.attr('jid'));
}

it('finds people by how their names begin, whatever the capitals', async () => {
  const romeo = await searcher();
  expect(await found(romeo, '<last>capu</last>')).toEqual(['juliet@localhost', 'nurse@localhost', 'tybalt@localhost']);
  expect(await found(romeo, '<last>Capulet*</last><first>J</first>')).toEqual(['juliet@localhost']);
  expect(await found(romeo, '<nick>nurse</nick>')).toEqual(['nurse@localhost']);
  expect(await found(romeo, '<email>tybalt@</email>')).toEqual(['tybalt@localhost']);
  expect(await found(romeo, '<last>let</last>')).toEqual([]);
  const item = (await ask(romeo, '<nick>juliet</nick>')).firstChild?.child('item');
  expect(String(item)).toContain(
    '<first>Juliet</first><last>Capulet</last><nick>juliet</nick><email>juliet@localhost</email>',
  );
});

it('takes nothing of what is said for a filter', async () => {
  const romeo = await searcher();
  for (const text of [')(uid=*', 'Capulet)(|(uid=*))', '\\2a', '*)(objectClass=*', 'C\\61pulet', '\u0000']) {
    const escaped = text.replaceAll('\u0000', '');
    const answer = await ask(romeo, `<last>${escaped}</last>`);
    expect(answer.firstChild?.child('item'), text).toBeUndefined();
  }
});

it('shows so many and no more, and says so', async () => {
  const romeo = await searcher();
  const plain = (await ask(romeo, '<last>Servant</last>')).firstChild;
  expect(plain?.elements.filter(({ name }) => name === 'item')).toHaveLength(50);
  expect(plain?.childText('instructions')).toMatch(/^There are more: these are 50 of them\./);
  const form = `<x xmlns='${NS.dataForms}' type='submit'><field var='x-unit'><value>House</value></field></x>`;
  const x = (await ask(romeo, form)).firstChild?.child('x', NS.dataForms);
  expect(x?.elements.filter(({ name }) => name === 'item')).toHaveLength(50);
  expect(x?.childText('instructions')).toMatch(/^There are more: these are 50 of them\./);
  const few = await searcher({ search: { maxResults: 3 } });
  expect(await found(few, '<last>Servant</last>')).toHaveLength(3);
  const all = await searcher({ search: { maxResults: 70 } });
  const answer = (await ask(all, '<last>Servant</last>')).firstChild;
  expect([answer?.elements.length, answer?.child('instructions')]).toEqual([70, undefined]);
});

it('does not show who may not log in', async () => {
  const romeo = await searcher();
  await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: ['000001010000Z'] });
  expect(await found(romeo, '<last>Capulet</last>')).toEqual(['juliet@localhost', 'nurse@localhost']);
  await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: [] });
  expect(await found(romeo, '<last>Capulet</last>')).toHaveLength(3);
});

describe('looking for people', () => {
  const condition = async (client: TestClient) =>
    (await ask(client, '<last>Cap</last>')).child('error')?.firstChild?.name;

  it('is for accounts of the directory’s domains', async () => {
    expect(await condition(await searcher({}, 'hamlet@other.lit/denmark'))).toBe('forbidden');
  });

  it('is for all accounts of the server where that is said', async () => {
    const hamlet = await searcher({ search: { allow: 'server' } }, 'hamlet@other.lit/denmark');
    expect(await found(hamlet, '<first>Jul</first>')).toEqual(['juliet@localhost']);
  });

  it('is for the members of some groups, as long as they are members', async () => {
    const [groups, search] = [{ base: GROUPS }, { allow: ['Lovers'] }];
    const server = await startDirectoryServer(slapd, { directory: { groups, search } });
    await expect.poll(() => server.node.groups.isKnown('lovers')).toBe(true);
    const [romeo, tybalt] = [await server.client('romeo@localhost/x'), await server.client('tybalt@localhost/x')];
    expect([await condition(romeo), await condition(tybalt)]).toEqual([undefined, 'forbidden']);
    const member = `member: ${personDn('romeo')}`;
    await slapd.change(`dn: cn=lovers,${GROUPS}\nchangetype: modify\ndelete: member\n${member}\n`);
    await expect.poll(() => condition(romeo)).toBe('forbidden');
  });

  it('is not for guests', async () => {
    const mechanisms = ['PLAIN', 'ANONYMOUS'];
    const config = { authentication: { mechanisms } } as never;
    const server = await startDirectoryServer(slapd, { directory: { search: { allow: 'server' } }, config });
    const guest = stranger(server);
    sendAuth(guest, 'ANONYMOUS', '=');
    expect((await answer(guest)).name).toBe('success');
    await guest.request('set', `<bind xmlns='${NS.bind}'/>`);
    expect(await condition(guest)).toBe('forbidden');
  });

  it('is for nobody where that is said', async () => {
    expect(await condition(await searcher({ search: { allow: 'nobody' } }))).toBe('remote-server-not-found');
  });
});
