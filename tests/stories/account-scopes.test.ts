import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, expect, test } from 'vitest';
import { bearer, bearer2 } from '../support/bearer.ts';
import type { TestClient } from '../support/client.ts';
import { TestProvider } from '../support/identity-provider.ts';
import { outcomeOf } from '../support/login.ts';
import { enable } from '../support/resumption.ts';
import { AGENT, addressIn, plain2, tokenIn, wantToken } from '../support/sasl2.ts';
import { type Partly, startServer, type TestServer } from '../support/server.ts';

const ROMEO = 'romeo@localhost/orchard';
const READ = 'xmpp:account:read';
const WRITE = 'xmpp:account:write';

let server: TestServer;
let provider: TestProvider;

beforeEach(async () => {
  provider = await TestProvider.start();
  server = await startServer({
    config: {
      authentication: { mechanisms: ['OAUTHBEARER', 'PLAIN'] },
      identityProviders: [provider.signed({ permission: 'unrestricted' })],
    } as Partly<never>,
  });
  await server.account('juliet@localhost');
});

function connect(): TestClient {
  const client = server.connect();
  client.open('localhost');
  return client;
}

/** A client that was let in for this, with a session, and what the success said. */
async function granted(scope: string, content = '') {
  const client = connect();
  const asked = `${AGENT}<bind xmlns='${NS.bind2}'/>${wantToken()}${content}`;
  const { end } = await bearer2(client, await provider.token({ scope }), asked);
  expect(end.name).toBe('success');
  client.jid = addressIn(end) ?? '';
  await server.settled();
  return { client, end };
}

const ROSTER = `<query xmlns='${NS.roster}'/>`;
const CONTACT = `<query xmlns='${NS.roster}'><item jid='nurse@localhost'/></query>`;

test.each<[string, string, string]>([
  [READ, 'result', 'forbidden'],
  [WRITE, 'forbidden', 'result'],
  [`${READ} ${WRITE}`, 'result', 'result'],
  [`xmpp:client:normal ${READ}`, 'result', 'result'],
])('a client that was let in for %s: reading is a %s, writing a %s', async (scope, reading, writing) => {
  const { client } = await granted(scope);
  for (const to of [undefined, 'juliet@localhost']) {
    expect(outcomeOf(await client.request('get', ROSTER, to))).toBe(reading);
    expect(outcomeOf(await client.request('set', CONTACT, to))).toBe(writing);
  }
  expect(outcomeOf(await client.request('get', `<query xmlns='${NS.discoInfo}'/>`, 'localhost'))).toBe(reading);
});

test('who was let in for the account talks to nobody, and hears nobody', async () => {
  const romeo = await server.online(ROMEO);
  const { client } = await granted(`${READ} ${WRITE}`);
  for (const stanza of [
    `<message to='${ROMEO}' type='chat' id='x'><body>I am Juliet</body></message>`,
    `<message id='x'><body>a note to all of my clients</body></message>`,
    `<presence id='x'/>`,
    `<presence to='romeo@localhost' type='subscribe' id='x'/>`,
    `<iq to='${ROMEO}' type='get' id='x'><query xmlns='jabber:iq:version'/></iq>`,
    `<iq to='component.localhost' type='get' id='x'><query xmlns='jabber:iq:version'/></iq>`,
  ]) {
    client.send(stanza);
    expect(outcomeOf(await client.take((element) => element.attr('id') === 'x'))).toBe('forbidden');
  }
  for (const stanza of [
    `<message to='${client.jid}' type='chat' id='y'><body>Are you there?</body></message>`,
    `<message to='${client.jid}' id='y'><body>Are you there?</body></message>`,
    `<iq to='${client.jid}' type='get' id='y'><query xmlns='jabber:iq:version'/></iq>`,
  ]) {
    romeo.send(stanza);
    expect(outcomeOf(await romeo.take((element) => element.attr('id') === 'y'))).toBe('service-unavailable');
  }
  romeo.send(`<presence to='${client.jid}'/>`);
  await romeo.sync();
  await server.settled();
  for (const { inbox } of [client, romeo]) {
    expect(inbox.filter(({ name }) => ['message', 'presence', 'iq'].includes(name)).map(String)).toEqual([]);
  }
});

test('it gets no copies of what others are sent', async () => {
  const desk = await server.online('juliet@localhost/desk');
  const romeo = await server.online(ROMEO);
  const { client } = await granted(`${READ} ${WRITE}`);
  await client.request('set', `<enable xmlns='${NS.carbons}'/>`);
  romeo.send(`<message to='${desk.jid}' type='chat'><body>for the desk</body></message>`);
  expect((await desk.nextMessage()).childText('body')).toBe('for the desk');
  await server.settled();
  await client.sync();
  expect(client.inbox.filter(({ name }) => name === 'message')).toEqual([]);
});

test('it cannot make more of what it was let do', async () => {
  const { client, end } = await granted(`${READ} ${WRITE}`);
  expect(tokenIn(end)).toBeUndefined();
  for (const content of [
    `<query xmlns='${NS.register}'><username>juliet</username><password>mine</password></query>`,
    `<query xmlns='${NS.register}'><remove/></query>`,
    `<revoke xmlns='${NS.clientAccess}' id='any'/>`,
  ]) {
    expect(outcomeOf(await client.request('set', content))).toBe('forbidden');
  }
});

test('it takes no place by saying that it is another client', async () => {
  const app = connect();
  const tagged = `<bind xmlns='${NS.bind2}'><tag>app</tag></bind>`;
  app.jid = addressIn(await plain2(app, 'juliet', 'secret', AGENT + tagged)) ?? '';
  await server.settled();
  for (const content of [`<bind xmlns='${NS.bind2}'/>`, tagged]) {
    const reader = connect();
    const { end } = await bearer2(reader, await provider.token({ scope: READ }), AGENT + content);
    expect(addressIn(end)).toMatch(/^juliet@localhost\//);
    expect(addressIn(end)).not.toContain(app.jid.split('/').at(-1));
    await server.settled();
    await app.sync();
  }
});

test('it takes neither the session of another client nor its place', async () => {
  const desk = await server.online('juliet@localhost/desk');
  const previd = (await enable(desk)).attr('id');
  const resume = `<resume xmlns='${NS.streamManagement}' previd='${previd}' h='0'/>`;
  const { end } = await granted(READ, resume);
  expect(end.childOf(NS.streamManagement)?.name).toBe('failed');
  const client = connect();
  await bearer(client, await provider.token({ scope: READ }));
  client.send(resume);
  expect((await client.take(({ ns }) => ns === NS.streamManagement)).name).toBe('failed');
  const bind = `<bind xmlns='${NS.bind}'><resource>desk</resource></bind>`;
  const bound = (await client.request('set', bind)).firstChild?.childText('jid');
  expect(bound).toMatch(/^juliet@localhost\//);
  expect(bound).not.toBe(desk.jid);
  await desk.sync();
});
