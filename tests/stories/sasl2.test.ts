import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, test } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { features, isIn, streamError } from '../support/login.ts';
import { enable, heard, say } from '../support/resumption.ts';
import { addressIn, offerOf, plain2, scram2 } from '../support/sasl2.ts';
import { startServer, type TestServer } from '../support/server.ts';

const AGENT = `<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>`;
const ENABLE = `<enable xmlns='${NS.streamManagement}' resume='true'/>`;
const ROMEO = 'romeo@localhost/orchard';
const bind = (content = '') => `${AGENT}<bind xmlns='${NS.bind2}'><tag>phone</tag>${content}</bind>`;
const resume = (id: string, h: number) => `<resume xmlns='${NS.streamManagement}' previd='${id}' h='${h}'/>`;

async function start(): Promise<TestServer> {
  const server = await startServer();
  await server.account('juliet@localhost');
  return server;
}

/** Logs in on a new connection, each time to another node; what has come besides the success stays in the inbox. */
async function logIn(server: TestServer, content = '') {
  const client = server.connect();
  client.open('localhost', 'juliet@localhost');
  await features(client);
  const success = await scram2(client, { username: 'juliet', password: 'secret', hash: 'SHA-256' }, content);
  client.jid = addressIn(success) ?? '';
  await server.settled();
  return { client, success };
}

const bound = (success: Element) => success.child('bound', NS.bind2);
const managed = (element: Element | undefined) => element?.childOf(NS.streamManagement);

/** Bound and available, with a session that can be resumed by this id. */
async function session(server: TestServer) {
  const { client, success } = await logIn(server, bind(ENABLE));
  const id = managed(bound(success))?.attr('id') ?? '';
  client.send('<presence/>');
  await client.nextPresence(client.jid);
  return { client, id, got: 1 };
}

/** The stanzas that came, in few words. */
const stanzas = async (client: TestClient) => (await heard(client)).filter((words) => words !== 'features');

test('everything that is there can be had with the login', async () => {
  const server = await start();
  const client = server.connect();
  client.open('localhost');
  const inline = (await offerOf(client)).child('inline');
  expect(inline?.child('sm', NS.streamManagement)).toBeDefined();
  const vars = inline
    ?.child('bind', NS.bind2)
    ?.child('inline')
    ?.elements.map((each) => each.attr('var'));
  expect(vars?.toSorted()).toEqual([NS.carbons, NS.clientState, NS.streamManagement].toSorted());
});

test('one round trip makes a session, which others see at once, and whose features are told', async () => {
  const server = await start();
  const romeo = await server.online(ROMEO);
  const { client, success } = await logIn(server, bind(ENABLE));
  expect(addressIn(success)).toMatch(/^juliet@localhost\/phone\/[\w-]{16}$/);
  expect(managed(bound(success))?.name).toBe('enabled');
  const offer = await features(client);
  expect(offer.child('csi', NS.clientState)).toBeDefined();
  expect(offer.child('ver', NS.rosterVersioning)).toBeDefined();
  say(romeo, client.jid, 'Who is there?');
  expect((await client.nextMessage()).childText('body')).toBe('Who is there?');
});

test('a login may begin before the offer has come, in one write with the header', async () => {
  const server = await start();
  const client = server.connect();
  client.impatient = true;
  client.open('localhost', 'juliet@localhost');
  expect(addressIn(await plain2(client, 'juliet', 'secret', bind()))).toMatch(/^juliet@localhost\/phone\//);
  expect(client.inbox.map(({ name }) => name)).toEqual(['features', 'features']);
});

describe('a session that is resumed with the login', () => {
  test('goes on from any node: what waited comes behind the success, and no features', async () => {
    const server = await start();
    const romeo = await server.online(ROMEO);
    const { client: lost, id, got } = await session(server);
    lost.break();
    await server.settled();
    for (const text of ['1', '2', '3']) say(romeo, lost.jid, text);
    await romeo.sync();
    const { client, success } = await logIn(server, resume(id, got) + bind(ENABLE));
    expect(managed(success)?.name).toBe('resumed');
    expect(managed(success)?.attr('h')).toBe('1');
    expect(bound(success)).toBeUndefined(); // XEP-0386: it is ignored then
    expect(addressIn(success)).toBe(lost.jid);
    expect(await stanzas(client)).toEqual(['1', '2', '3']);
    say(client, ROMEO, 'I am back');
    expect((await romeo.nextMessage()).childText('body')).toBe('I am back');
    expect(server.sessions.filter(({ jid }) => jid.local === 'juliet')).toHaveLength(1);
  });

  test('is taken from a connection that seems to be there', async () => {
    const server = await start();
    const { client: stuck, id, got } = await session(server);
    const { success } = await logIn(server, resume(id, got));
    expect(managed(success)?.name).toBe('resumed');
    expect(await streamError(stuck)).toBe('conflict');
  });

  test.each([
    ['that never was', 'nobody-knows-this'],
    ['of somebody else', ''],
  ])('is none %s: another one is bound instead', async (_, unknown) => {
    const server = await start();
    const nurse = await server.client('nurse@localhost/hall');
    const id = unknown || ((await enable(nurse)).attr('id') ?? '');
    nurse.break();
    const { success } = await logIn(server, resume(id, 0) + bind(ENABLE));
    expect(managed(success)?.firstChild?.name).toBe('item-not-found');
    expect(managed(bound(success))?.name).toBe('enabled');
  });

  test('is none that is over: what was handled is told, and without a new one the login is one all the same', async () => {
    const server = await start();
    const { client: lost, id } = await session(server);
    await lost.close();
    await server.settled();
    const { client, success } = await logIn(server, resume(id, 0));
    expect(managed(success)?.name).toBe('failed');
    expect(managed(success)?.attr('h')).toBe('1');
    expect(addressIn(success)).toBe('juliet@localhost');
    expect(await isIn(client)).toBe(true);
  });

  test('is not resumed by a wrong password, and waits on', async () => {
    const server = await start();
    const { client: lost, id, got } = await session(server);
    lost.break();
    await server.settled();
    const stranger = server.connect();
    stranger.open('localhost');
    expect((await plain2(stranger, 'juliet', 'guess', resume(id, got))).name).toBe('failure');
    const { success } = await logIn(server, resume(id, got));
    expect(managed(success)?.name).toBe('resumed');
  });
});

test('a client that logs in anew has one session, and what the former one had not got', async () => {
  const server = await start();
  const romeo = await server.online(ROMEO);
  const { client: lost } = await session(server);
  lost.break();
  await server.settled();
  say(romeo, lost.jid, 'Are you there?');
  await romeo.sync();
  const { client } = await session(server);
  expect(client.jid).toBe(lost.jid);
  expect(await stanzas(client)).toEqual(['Are you there?']);
  expect(server.sessions.filter(({ jid }) => jid.local === 'juliet')).toHaveLength(1);
});

test('copies come from the first one on', async () => {
  const server = await start();
  const romeo = await server.online(ROMEO);
  const { client } = await logIn(server, bind(`<enable xmlns='${NS.carbons}'/>`));
  const desk = await server.online('juliet@localhost/desk');
  say(desk, ROMEO, 'sent');
  expect((await client.nextMessage()).childOf(NS.carbons)?.name).toBe('sent');
  say(romeo, 'juliet@localhost/desk', 'received');
  expect((await client.nextMessage()).childOf(NS.carbons)?.name).toBe('received');
});

test('a client that nobody looks at is spared from the first one on', async () => {
  const server = await start();
  const romeo = await server.client(ROMEO);
  const { client } = await logIn(server, bind(`<inactive xmlns='${NS.clientState}'/>`));
  client.send('<presence/>');
  await client.sync();
  romeo.send(`<presence to='${client.jid}'/>`);
  await romeo.sync();
  await server.settled();
  expect(client.inbox.map(({ name }) => name)).not.toContain('presence');
  client.send(`<active xmlns='${NS.clientState}'/>`);
  expect((await client.nextPresence(ROMEO)).attr('to')).toBe(client.jid);
});
