import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { setRoster } from '../../../../tests/support/contacts.ts';
import { startServer } from '../../../../tests/support/server.ts';

const MOST = 2;

async function start(config: object = {}) {
  const server = await startServer({ config: { limits: { stanzas: { strangersPerHour: MOST } }, ...config } });
  return { server, romeo: await server.client('romeo@localhost/orchard') };
}

/** What came back for each stanza: the condition of an error, and what names it more precisely. */
async function refusals(client: TestClient, ...stanzas: string[]): Promise<string[]> {
  for (const [index, stanza] of stanzas.entries()) client.send(stanza.replace(/^<\w+/, `$& id='${index}'`));
  return (await client.sync())
    .filter((element) => element.child('error')?.child('too-many-stanzas', 'urn:xmpp:errors') !== undefined)
    .map((element) => `${element.attr('id')} ${element.child('error')?.firstChild?.name}`);
}

const message = (to: string) => `<message to='${to}'><body>Buy!</body></message>`;

it('lets an account write to so many strangers, and to these again', async () => {
  const { romeo } = await start();
  const stanzas = ['a', 'b', 'c', 'a', 'b', 'd'].map((name) => message(`${name}@localhost/anywhere`));
  expect(await refusals(romeo, ...stanzas)).toEqual(['2 unexpected-request', '5 unexpected-request']);
});

it('counts the sessions of an account together, and each account for itself', async () => {
  const { server, romeo } = await start();
  expect(await refusals(romeo, message('a@localhost'), message('b@localhost'))).toEqual([]);
  const garden = await server.client('romeo@localhost/garden');
  expect(await refusals(garden, message('c@localhost'))).toHaveLength(1);
  const juliet = await server.client('juliet@localhost/balcony');
  expect(await refusals(juliet, message('c@localhost'))).toEqual([]);
});

it('counts requests and presence as well', async () => {
  const { romeo } = await start();
  const stanzas = [
    `<iq type='get' to='a@localhost'><q xmlns='urn:example'/></iq>`,
    `<presence type='probe' to='b@localhost'/>`,
    `<presence to='c@localhost'/>`,
    `<presence type='subscribe' to='d@localhost'/>`,
    `<iq type='set' to='e@localhost/x'><q xmlns='urn:example'/></iq>`,
  ];
  expect(await refusals(romeo, ...stanzas)).toEqual(['2', '3', '4'].map((id) => `${id} unexpected-request`));
});

it('leaves alone what goes to contacts, to the account itself, to the server, or ends something', async () => {
  const { server, romeo } = await start();
  await refusals(romeo, message('a@localhost'), message('b@localhost'));
  await setRoster(romeo, `<item jid='juliet@localhost'/>`);
  const asker = await server.client('nurse@localhost/hall');
  asker.send(`<presence type='subscribe' to='romeo@localhost'/>`);
  await asker.request('get', `<vCard xmlns='${NS.vcard}'/>`);
  const stanzas = [
    message('juliet@localhost/balcony'),
    message('nurse@localhost'),
    message('romeo@localhost/garden'),
    `<message><body>to myself</body></message>`,
    `<iq type='get' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`,
    `<presence type='unavailable' to='c@localhost'/>`,
    `<presence type='unsubscribe' to='c@localhost'/>`,
    `<presence/>`,
    `<iq type='result' to='c@localhost/x'/>`,
    `<message type='error' to='c@localhost/x'><error type='cancel'><gone xmlns='${NS.stanzas}'/></error></message>`,
  ];
  expect(await refusals(romeo, ...stanzas)).toEqual([]);
  expect(await refusals(romeo, message('c@localhost'))).toHaveLength(1);
});

it.each([
  ['administrators', { admins: ['romeo@localhost'] }],
  ['anybody where it is switched off', { limits: { stanzas: { strangersPerHour: 0 } } }],
])('does not limit %s', async (_, config) => {
  const { romeo } = await start(config);
  const stanzas = Array.from({ length: 20 }, (_, index) => message(`u${index}@localhost`));
  expect(await refusals(romeo, ...stanzas)).toEqual([]);
});
