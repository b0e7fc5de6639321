import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { befriend } from '../../../../tests/support/contacts.ts';
import { startServer } from '../../../../tests/support/server.ts';
import presence from './presence.ts';
import requests from './requests.ts';
import roster from './roster.ts';
import subscription from './subscription.ts';

const payload = `<x xmlns='urn:x'/>`;

async function start() {
  const server = await startServer({ modules: [roster, subscription, presence, requests] });
  const juliet = await server.online('juliet@localhost/balcony');
  const romeo = await server.online('romeo@localhost/orchard');
  return { server, juliet, romeo };
}

/** What comes of a request: the answer of the client that is asked, or the server's refusal. */
async function ask(asker: TestClient, asked: TestClient): Promise<string | undefined> {
  const answer = asker.request('get', payload, asked.jid);
  const reached = asked.take((element) => element.name === 'iq' && element.childOf('urn:x') !== undefined);
  reached.then(
    (iq) => asked.send(`<iq type='result' to='${iq.attr('from')}' id='${iq.attr('id')}'>${payload}</iq>`),
    () => {},
  );
  const { elements } = await answer;
  return elements.map((child) => child.child('service-unavailable', NS.stanzas)?.name ?? child.name).join();
}

it('keeps strangers from clients', async () => {
  const { juliet, romeo } = await start();
  expect(await ask(romeo, juliet)).toBe('service-unavailable');
  const there = await romeo.request('get', payload, juliet.jid);
  const gone = await romeo.request('get', payload, 'juliet@localhost/gone');
  expect(there.child('error')?.toString()).toBe(gone.child('error')?.toString());
});

it('lets those ask who see the client', async () => {
  const { juliet, romeo } = await start();
  await befriend(juliet, romeo);
  expect(await ask(romeo, juliet)).toBe('x');
  romeo.send(`<presence type='unsubscribed' to='${juliet.bare}'/>`);
  await romeo.sync();
  expect(await ask(romeo, juliet)).toBe('x'); // he sees her
  expect(await ask(juliet, romeo)).toBe('service-unavailable');
});

it('lets those ask to whom the client has sent its presence', async () => {
  const { juliet, romeo } = await start();
  juliet.send(`<presence to='${romeo.bare}'/>`);
  await romeo.nextPresence(juliet.jid);
  expect(await ask(romeo, juliet)).toBe('x');
  expect(await ask(juliet, romeo)).toBe('service-unavailable');
});

it('lets the account’s own clients ask each other', async () => {
  const { server, juliet } = await start();
  const phone = await server.client('juliet@localhost/phone');
  expect(await ask(phone, juliet)).toBe('x');
  expect(await ask(juliet, phone)).toBe('x');
});

it('lets answers and errors pass', async () => {
  const { juliet, romeo } = await start();
  for (const type of ['result', 'error']) {
    romeo.send(`<iq type='${type}' id='${type}' to='${juliet.jid}'/>`);
    expect((await juliet.nextIq(romeo.jid)).attr('id')).toBe(type);
  }
});
