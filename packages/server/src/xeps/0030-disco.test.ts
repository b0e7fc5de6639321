import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { presence } from '@parley/xmpp/stanza';
import { describe, expect, it } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { TestRosters } from '../../../../tests/support/rosters.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import type { Item } from '../disclosure.ts';
import { defineModule, type ModuleContext } from '../module.ts';
import module from './0030-disco.ts';

let context: ModuleContext;
const probe = defineModule({
  name: 'probe',
  features: ['urn:example:domain'],
  accountFeatures: ['urn:example:account'],
  setup(given) {
    context = given;
  },
});

const rosters = new TestRosters();
const start = (domains = ['localhost']) =>
  startServer({ modules: [rosters.module, probe, module], config: { domains } });

const info = (node = '') => `<query xmlns='${NS.discoInfo}'${node}/>`;
const items = (content = '') => `<query xmlns='${NS.discoItems}'>${content}</query>`;
const condition = async (client: TestClient, content: string, to: string) =>
  (await client.request('get', content, to)).child('error')?.firstChild?.name;
const itemsOf = async (client: TestClient, to: string, content = '') =>
  (await client.request('get', items(content), to)).firstChild?.elements.map((item) => item.attr('jid') ?? item.name);

describe('a domain', () => {
  it('tells what it is and can do', async () => {
    const romeo = await (await start()).client('romeo@localhost/orchard');
    expect(String((await romeo.request('get', info(), 'localhost')).firstChild)).toBe(
      `<query xmlns='${NS.discoInfo}'><identity category='server' type='im' name='Parley'/>` +
        ['urn:example:domain', NS.discoInfo, NS.discoItems, NS.resultSet]
          .map((name) => `<feature var='${name}'/>`)
          .join('') +
        '</query>',
    );
  });

  it('has the nodes that modules bring, and mirrors their name', async () => {
    const romeo = await (await start()).client('romeo@localhost/orchard');
    context.disclosure.nodes.push((domain, node) =>
      domain.domain === 'localhost' && node === 'urn:example#node' ? [] : undefined,
    );
    const answer = await romeo.request('get', info(` node='urn:example#node'`), 'localhost');
    expect(answer.firstChild?.attr('node')).toBe('urn:example#node');
    expect(await condition(romeo, info(` node='urn:example#other'`), 'localhost')).toBe('item-not-found');
    expect(await condition(romeo, `<query xmlns='${NS.discoItems}' node='x'/>`, 'localhost')).toBe('item-not-found');
  });

  it('has the services under it as its items, each under the nearest domain', async () => {
    const server = await start(['localhost', 'branch.localhost']);
    const romeo = await server.client('romeo@localhost/orchard');
    expect(await itemsOf(romeo, 'localhost')).toEqual([]);
    for (const service of ['rooms.localhost', 'rooms.branch.localhost', 'notlocalhost']) {
      server.node.router.addService(service, () => {});
    }
    context.disclosure.items.push((): readonly Item[] => [{ jid: 'rooms.localhost', name: 'Rooms' }]);
    expect(await itemsOf(romeo, 'localhost')).toEqual(['rooms.localhost']);
    expect(await itemsOf(romeo, 'branch.localhost')).toEqual(['rooms.branch.localhost', 'rooms.localhost']);
  });

  it('gives its items in pages where it is asked to (XEP-0059)', async () => {
    const server = await start();
    const romeo = await server.client('romeo@localhost/orchard');
    for (let i = 0; i < 5; i++) server.node.router.addService(`s${i}.localhost`, () => {});
    const page = `<set xmlns='${NS.resultSet}'><max>2</max><after>s1.localhost</after></set>`;
    const query = (await romeo.request('get', items(page), 'localhost')).firstChild;
    expect(query?.elements.map((item) => item.attr('jid'))).toEqual(['s2.localhost', 's3.localhost', undefined]);
    expect(query?.child('set', NS.resultSet)?.childText('count')).toBe('5');
  });
});

describe('an account', () => {
  async function family(): Promise<{ server: TestServer; juliet: TestClient; romeo: TestClient; tybalt: TestClient }> {
    const server = await start();
    await server.account('juliet@localhost');
    await rosters.permit('juliet@localhost', 'romeo@localhost');
    await rosters.permit('tybalt@localhost', 'juliet@localhost');
    return {
      server,
      juliet: await server.client('juliet@localhost/balcony'),
      romeo: await server.client('romeo@localhost/orchard'),
      tybalt: await server.client('tybalt@localhost/street'),
    };
  }

  it('tells its owner and whoever is subscribed to it what it is', async () => {
    const { juliet, romeo } = await family();
    for (const client of [juliet, romeo]) {
      const query = (await client.request('get', info(), 'juliet@localhost')).firstChild;
      expect(String(query?.firstChild)).toContain(`category='account' type='registered'`);
      expect(query?.elements.slice(1).map((feature) => feature.attr('var'))).toContain('urn:example:account');
    }
  });

  it('looks to all others as if it did not exist', async () => {
    const { tybalt } = await family();
    for (const content of [info(), info(` node='x'`), items()]) {
      const stranger = await tybalt.request('get', content, 'juliet@localhost');
      const nobody = await tybalt.request('get', content, 'nobody@localhost');
      expect(String(stranger.child('error'))).toBe(String(nobody.child('error')));
      expect(stranger.child('error')?.firstChild?.name).toBe('service-unavailable');
    }
  });

  it('has its available resources as its items', async () => {
    const { juliet, romeo, server } = await family();
    expect(await itemsOf(romeo, 'juliet@localhost')).toEqual([]);
    const [session] = server.node.sessions.here(Jid.parse(juliet.jid));
    if (session !== undefined) session.presence = presence({ from: session.jid });
    expect(await itemsOf(romeo, 'juliet@localhost')).toEqual(['juliet@localhost/balcony']);
  });

  it('has no nodes', async () => {
    const { juliet } = await family();
    expect(await condition(juliet, info(` node='x'`), 'juliet@localhost')).toBe('item-not-found');
    expect(await condition(juliet, `<query xmlns='${NS.discoItems}' node='x'/>`, 'juliet@localhost')).toBe(
      'item-not-found',
    );
  });
});
