import { AccountMoves } from '@parley/server/im/account-moves';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { appear, befriend, push, roster, send, setRoster, words } from '../support/contacts.ts';
import { RemoteDomain } from '../support/remote-domain.ts';
import { resumable } from '../support/resumption.ts';
import { startServer, type TestServer } from '../support/server.ts';

const OLD = 'juliet@localhost';
const NEW = 'juliet@verona.lit';
const DOMAINS = { domains: ['localhost', 'verona.lit'] };

const movesOf = (server: TestServer, index = 0): AccountMoves =>
  server.nodes.at(index)?.offers.get(AccountMoves) as AccountMoves;

/** The steps that were told, each once. */
async function move(server: TestServer, from = OLD, to = NEW): Promise<string[]> {
  const steps = new Set<string>();
  for await (const { step } of movesOf(server).move(Jid.parse(from), Jid.parse(to))) steps.add(step);
  return [...steps];
}

const streamError = (client: TestClient) => client.take(({ name, ns }) => name === 'error' && ns === NS.streams);

const items = async (client: TestClient) => {
  const answer = await roster(client);
  return answer?.elements.map((item) =>
    [words(item), item.attr('name') ?? '', ...item.elements.map(({ text }) => text)].join(' | '),
  );
};

it('takes everything along, and contacts have the new address at once', async () => {
  const server = await startServer({ config: DOMAINS });
  const romeo = await appear(server, 'romeo@localhost/orchard');
  const juliet = await appear(server, `${OLD}/balcony`);
  await befriend(romeo, juliet);
  await roster(romeo);
  await setRoster(romeo, `<item jid='${OLD}' name='My lady'><group>Sun</group></item>`);
  await setRoster(juliet, `<item jid='romeo@localhost' name='Romeo'/>`);
  await juliet.request('set', `<vCard xmlns='${NS.vcard}'><FN>Juliet</FN></vCard>`);
  await juliet.request('set', `<query xmlns='${NS.private}'><a xmlns='urn:a'>kept</a></query>`);
  await juliet.request('set', `<block xmlns='${NS.blocking}'><item jid='tybalt@localhost'/></block>`);
  await romeo.sync();

  const moved = move(server);
  const error = await streamError(juliet);
  expect([error.firstChild?.name, error.childText('text', NS.streamErrors)]).toEqual([
    'not-authorized',
    `The address of this account is ${NEW} now: log in with that.`,
  ]);
  await juliet.closed;
  expect((await moved).at(-1)).toBe('done');

  expect([words(await push(romeo)), words(await push(romeo))]).toEqual([`${OLD} remove`, `${NEW} both`]);
  expect(await items(romeo)).toEqual([`${NEW} both | My lady | Sun`]);

  const [old, next] = [Jid.parse(OLD), Jid.parse(NEW)];
  for (const { accounts } of server.nodes)
    expect([await accounts.exists(old), await accounts.exists(next)]).toEqual([false, true]);
  const there = await server.client(`${NEW}/balcony`);
  expect(await items(there)).toEqual(['romeo@localhost both | Romeo']);
  there.send('<presence/>');
  await romeo.nextPresence(`${NEW}/balcony`);
  await there.nextPresence('romeo@localhost/orchard');
  const answer = async (xml: string) => String((await there.request('get', xml)).firstChild);
  expect(await answer(`<vCard xmlns='${NS.vcard}'/>`)).toContain('<FN>Juliet</FN>');
  expect(await answer(`<query xmlns='${NS.private}'><a xmlns='urn:a'/></query>`)).toContain('kept');
  expect(await answer(`<blocklist xmlns='${NS.blocking}'/>`)).toContain('tybalt@localhost');

  // nobody is at the former address
  romeo.send(`<message to='${OLD}' type='chat' id='m'><body>Wherefore?</body></message>`);
  expect((await romeo.nextMessage()).child('error')?.child('service-unavailable', NS.stanzas)).toBeDefined();
});

it('loses no message: neither one that waits nor one that a client has not acknowledged', async () => {
  const server = await startServer({ config: DOMAINS });
  const romeo = await server.online('romeo@localhost/orchard');
  const say = async (text: string) => {
    romeo.send(`<message to='${OLD}' type='chat'><body>${text}</body></message>`);
    await romeo.sync();
  };
  await server.account(OLD);
  await say('one');
  const { client } = await resumable(server, `${OLD}/balcony`);
  expect((await client.nextMessage()).childText('body')).toBe('one');
  await say('two');
  await client.nextMessage();
  await move(server);
  const there = await appear(server, `${NEW}/balcony`);
  const came = [await there.nextMessage(), await there.nextMessage()];
  expect(came.map((message) => [message.childText('body'), message.attr('to')?.split('/')[0]])).toEqual([
    ['one', NEW],
    ['two', NEW],
  ]);
});

it('lets whoever has asked for a subscription be answered by the new address', async () => {
  const server = await startServer({ config: DOMAINS });
  const paris = await appear(server, 'paris@localhost/street');
  await server.account(OLD);
  send(paris, 'subscribe', OLD);
  await paris.sync();
  await move(server);
  const there = await appear(server, `${NEW}/balcony`);
  const request = await there.take((element) => element.attr('type') === 'subscribe');
  expect([request.attr('from'), request.attr('to')]).toEqual(['paris@localhost', NEW]);
  send(there, 'subscribed', 'paris@localhost');
  await paris.nextPresence(`${NEW}/balcony`);
  expect(await items(paris)).toEqual([`${NEW} to | `]);
});

it('parts from contacts of other servers, and asks them anew', async () => {
  const server = await startServer({ config: DOMAINS });
  const remote = new RemoteDomain(server, 'remote.lit');
  const juliet = await appear(server, `${OLD}/balcony`);
  send(juliet, 'subscribe', 'tybalt@remote.lit');
  await juliet.sync();
  await remote.send(`<presence from='tybalt@remote.lit' to='${OLD}' type='subscribed'/>`);
  remote.taken();
  await move(server);
  const parted = remote.taken().filter((text) => /subscribe/.test(text));
  expect(parted).toEqual([
    `<presence to='tybalt@remote.lit' from='${OLD}' type='unsubscribe'/>`,
    `<presence to='tybalt@remote.lit' from='${NEW}' type='subscribe'/>`,
  ]);
  expect(await items(await server.client(`${NEW}/balcony`))).toEqual(['tybalt@remote.lit none ask | ']);
});

it('goes on by another node where one has only begun', async () => {
  const server = await startServer({ config: DOMAINS });
  const juliet = await server.client(`${OLD}/balcony`);
  await juliet.request('set', `<vCard xmlns='${NS.vcard}'><FN>Juliet</FN></vCard>`);
  const record = await movesOf(server).begin(Jid.parse(OLD), Jid.parse(NEW), { leave: true });
  expect(await movesOf(server).begin(Jid.parse(OLD), Jid.parse(NEW))).toEqual(record);
  const another = movesOf(server, -1);
  await Promise.all([another.run(), movesOf(server).run(), streamError(juliet)]);
  for await (const { step } of another.follow(record)) if (step === 'done') break;
  const there = await server.client(`${NEW}/balcony`);
  expect((await there.request('get', `<vCard xmlns='${NS.vcard}'/>`)).firstChild?.childText('FN')).toBe('Juliet');
});

it('moves nobody to where somebody is, and nobody whom there is not', async () => {
  const server = await startServer({ config: DOMAINS });
  const juliet = await server.client(`${OLD}/balcony`);
  await server.account('romeo@localhost');
  await expect(move(server, OLD, 'romeo@localhost')).rejects.toThrow('romeo@localhost exists already.');
  await expect(move(server, OLD, OLD)).rejects.toThrow(`${OLD} is that address already.`);
  await expect(move(server, 'nobody@localhost', NEW)).rejects.toThrow('There is no account nobody@localhost');
  await juliet.sync();
});

it('moves a whole domain, whose accounts know each other', async () => {
  const server = await startServer({ config: DOMAINS });
  const names = ['juliet', 'nurse', 'romeo', 'paris'];
  for (const [index, name] of names.entries()) {
    const client = await appear(server, `${name}@localhost/x`);
    for (const other of names.slice(0, index)) {
      const earlier = await appear(server, `${other}@localhost/with-${name}`);
      await befriend(client, earlier);
      await earlier.close();
    }
    await client.close();
  }
  await server.settled();
  const all = names.map((name) => [Jid.parse(`${name}@localhost`), Jid.parse(`${name}@verona.lit`)] as const);
  await Promise.all(all.map(([from, to], index) => movesOf(server, index % server.nodes.length).begin(from, to)));
  await movesOf(server).run();
  for (const name of names) {
    const others = names.filter((other) => other !== name).map((other) => `${other}@verona.lit both | `);
    const client = await server.client(`${name}@verona.lit/x`);
    expect((await items(client))?.sort()).toEqual(others.sort());
  }
});
