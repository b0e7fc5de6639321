import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { befriend } from '../support/contacts.ts';
import { startServer } from '../support/server.ts';

const INFO = `<query xmlns='${NS.discoInfo}'/>`;
const ITEMS = `<query xmlns='${NS.discoItems}'/>`;

describe('a client that looks around', () => {
  it('learns what the server is, what it can do and whom to turn to', async () => {
    const server = await startServer({ config: { contact: { abuse: ['mailto:abuse@localhost'] } } });
    const romeo = await server.client('romeo@localhost/orchard');
    const query = (await romeo.request('get', INFO, 'localhost')).firstChild;
    expect(query?.child('identity')?.attr('category')).toBe('server');
    expect(query?.child('identity')?.attr('type')).toBe('im');

    const features = query?.elements.filter(({ name }) => name === 'feature').map((feature) => feature.attr('var'));
    expect(new Set(features).size).toBe(features?.length);
    const expected = [
      NS.discoInfo,
      NS.discoItems,
      NS.caps,
      NS.ping,
      NS.time,
      NS.version,
      NS.last,
      NS.vcard,
      NS.private,
    ];
    expect(features).toEqual(expect.arrayContaining(expected));

    const [form, ...others] = query?.elements.filter((child) => child.is('x', NS.dataForms)) ?? [];
    expect(others).toEqual([]);
    expect(form?.elements.map((field) => [field.attr('var'), field.childText('value')])).toEqual([
      ['FORM_TYPE', 'http://jabber.org/network/serverinfo'],
      ['abuse-addresses', 'mailto:abuse@localhost'],
    ]);
  });

  it('sees the services of the server', async () => {
    const server = await startServer();
    for (const { router } of server.nodes) router.addService('plays.localhost', () => {});
    const romeo = await server.client('romeo@localhost/orchard');
    const query = (await romeo.request('get', ITEMS, 'localhost')).firstChild;
    expect(query?.elements.map((item) => item.attr('jid'))).toEqual(['plays.localhost']);
  });
});

describe('an account', () => {
  it('shows itself and its resources to those alone whom it lets see its presence', async () => {
    const server = await startServer();
    const romeo = await server.online('romeo@localhost/orchard');
    const juliet = await server.online('juliet@localhost/balcony');
    const errorOf = async (content: string) =>
      (await romeo.request('get', content, 'juliet@localhost')).child('error')?.firstChild?.name;
    expect([await errorOf(INFO), await errorOf(ITEMS)]).toEqual(['service-unavailable', 'service-unavailable']);

    await befriend(romeo, juliet);
    await server.online('juliet@localhost/chamber');
    await server.client('juliet@localhost/garden'); // has sent no presence
    const info = (await romeo.request('get', INFO, 'juliet@localhost')).firstChild;
    expect(info?.child('identity')?.attr('type')).toBe('registered');
    const items = (await romeo.request('get', ITEMS, 'juliet@localhost')).firstChild?.elements;
    expect(items?.map((item) => item.attr('jid'))).toEqual(['juliet@localhost/balcony', 'juliet@localhost/chamber']);

    juliet.send(`<presence to='romeo@localhost' type='unsubscribed'/>`);
    await juliet.sync();
    expect([await errorOf(INFO), await errorOf(ITEMS)]).toEqual(['service-unavailable', 'service-unavailable']);
  });

  it('answers for itself, and its client for a resource', async () => {
    const server = await startServer();
    const romeo = await server.online('romeo@localhost/orchard');
    const juliet = await server.online('juliet@localhost/balcony');
    juliet.send(`<presence to='${romeo.jid}'/>`); // who sees her may ask her
    await juliet.sync();
    const answer = romeo.request('get', INFO, 'juliet@localhost/balcony');
    const asked = await juliet.nextIq();
    juliet.send(
      `<iq type='result' id='${asked.attr('id')}' to='${asked.attr('from')}'><query xmlns='${NS.discoInfo}'>` +
        `<identity category='client' type='pc'/></query></iq>`,
    );
    expect((await answer).firstChild?.child('identity')?.attr('category')).toBe('client');
  });
});
