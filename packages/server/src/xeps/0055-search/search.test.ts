import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, expect, it } from 'vitest';
import { FakeProfiles, person } from '../../../../../tests/support/profiles.ts';
import { startServer, type TestServer } from '../../../../../tests/support/server.ts';
import { modules } from '../../modules.ts';
import search from './search.ts';

const query = (content = '') => `<query xmlns='${NS.search}'>${content}</query>`;

let source: FakeProfiles;
beforeEach(() => {
  source = new FakeProfiles();
  source.found = { people: [person('juliet@localhost', { first: 'Juliet' })], more: false };
});

const start = (config: object = {}): Promise<TestServer> =>
  startServer({
    modules: [source.module, ...modules],
    config: { domains: ['localhost', 'other.lit'], ...config } as never,
  });

const condition = (answer: Awaited<ReturnType<typeof ask>>) => answer.child('error')?.firstChild?.name;
async function ask(server: TestServer, type: 'get' | 'set', content: string, who = 'romeo@localhost/orchard') {
  return (await server.client(who)).request(type, content, 'search.localhost');
}

it('is an item of the domains that have somewhere to look, and says what it is', async () => {
  const server = await start();
  const romeo = await server.client('romeo@localhost/orchard');
  const items = async (domain: string) =>
    (await romeo.request('get', `<query xmlns='${NS.discoItems}'/>`, domain)).firstChild?.elements.map((item) =>
      item.attr('jid'),
    );
  expect([await items('localhost'), await items('other.lit')]).toEqual([['search.localhost'], []]);
  const info = (await romeo.request('get', `<query xmlns='${NS.discoInfo}'/>`, 'search.localhost')).firstChild;
  expect(
    info?.elements.map((element) => element.attr('var') ?? `${element.attr('category')}/${element.attr('type')}`),
  ).toEqual(['directory/user', NS.discoInfo, NS.discoItems, NS.search, NS.dataForms]);
});

it('gives the fields, and who was found by them', async () => {
  const server = await start();
  expect((await ask(server, 'get', query())).firstChild?.child('last')).toBeDefined();
  const found = (await ask(server, 'set', query('<first>Jul</first>'), 'nurse@localhost/hall')).firstChild;
  expect(found?.child('item')?.attr('jid')).toBe('juliet@localhost');
  expect(source.searches).toEqual([[['first', 'Jul']]]);
});

it('is for those alone who may', async () => {
  const server = await start();
  source.mayAll = false;
  expect(condition(await ask(server, 'get', query()))).toBe('forbidden');
  expect(condition(await ask(server, 'set', query('<first>Jul</first>'), 'nurse@localhost/hall'))).toBe('forbidden');
  expect(source.searches).toEqual([]);
});

it('answers nothing else', async () => {
  const server = await start();
  const romeo = await server.client('romeo@localhost/orchard');
  expect(condition(await romeo.request('get', `<vCard xmlns='${NS.vcard}'/>`, 'search.localhost'))).toBe(
    'service-unavailable',
  );
  expect(condition(await romeo.request('get', query(), 'somebody@search.localhost'))).toBe('service-unavailable');
  romeo.send(`<message to='search.localhost' id='m'><body>Hello?</body></message><presence to='search.localhost'/>`);
  expect((await romeo.nextMessage()).child('error')?.firstChild?.name).toBe('service-unavailable');
  expect(await romeo.sync()).toEqual([]);
});

it('is not there where nothing can be looked in', async () => {
  const server = await startServer({ modules: [search] });
  const romeo = await server.client('romeo@localhost/orchard');
  expect(condition(await romeo.request('get', query(), 'search.localhost'))).toBe('remote-server-not-found');
});
