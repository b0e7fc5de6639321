import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { befriend, push, roster, setRoster } from '../support/contacts.ts';
import { turns } from '../support/managed-session.ts';
import { acknowledge, enable, expire, handled, heard, resumable, resume, say, words } from '../support/resumption.ts';
import { type ServerOptions, startServer } from '../support/server.ts';
import { emptyKeyspace } from '../support/topology.ts';
import { UnreliableKeyspace } from '../support/unreliable-keyspace.ts';

const JULIET = 'juliet@localhost/balcony';
const PHONE = 'juliet@localhost/phone';
const ROMEO = 'romeo@localhost/orchard';
const REQUEST = `<r xmlns='${NS.streamManagement}'/>`;

afterEach(() => {
  vi.useRealTimers();
});

/** Juliet can come back to her session; Romeo is there. */
async function start(config = {}, options: Pick<ServerOptions, 'nodes'> = {}) {
  const server = await startServer({ config, ...options });
  const { client: juliet, id, got } = await resumable(server, JULIET);
  const romeo = await server.online(ROMEO);
  return { server, juliet, id, got, romeo };
}

const conditionOf = (stanza: { child(name: string): unknown }) =>
  (stanza.child('error') as { firstChild?: { name: string } } | undefined)?.firstChild?.name;

describe('a session that is resumed', () => {
  it('has got roster pushes and copies meanwhile', async () => {
    const { server, juliet, id, got, romeo } = await start();
    const phone = await server.online(PHONE);
    await roster(juliet);
    await juliet.request('set', `<enable xmlns='${NS.carbons}'/>`);
    await juliet.sync();
    juliet.break();
    await setRoster(phone, `<item jid='nurse@localhost'/>`);
    say(phone, ROMEO, 'sent');
    await phone.sync();
    say(romeo, PHONE, 'received');
    await romeo.sync();
    const { client } = await resume(server, JULIET, id, got());
    expect((await push(client)).attr('jid')).toBe('nurse@localhost');
    const copies = [await client.nextMessage(), await client.nextMessage()].map(
      (copy) => copy.childOf(NS.carbons)?.name,
    );
    expect(copies).toEqual(['sent', 'received']);
    // and goes on getting them
    await setRoster(phone, `<item jid='paris@localhost'/>`);
    expect((await push(client)).attr('jid')).toBe('paris@localhost');
    say(phone, ROMEO, 'sent again');
    expect((await client.nextMessage()).childOf(NS.carbons)?.name).toBe('sent');
  });

  it('gets of presence and chat states the last of each, and is looked at again', async () => {
    const { server, juliet, id, got, romeo } = await start();
    await befriend(juliet, romeo);
    juliet.send(`<inactive xmlns='${NS.clientState}'/>`);
    await juliet.sync();
    await juliet.sync();
    juliet.break();
    for (const show of ['away', 'xa', 'dnd']) romeo.send(`<presence><show>${show}</show></presence>`);
    await romeo.sync();
    const { client } = await resume(server, JULIET, id, got());
    expect((await client.nextPresence(ROMEO)).childText('show')).toBe('dnd');
    romeo.send('<presence/>');
    expect((await client.nextPresence(ROMEO)).child('show')).toBeUndefined();
    expect(await heard(client)).toEqual([]);
  });

  it('is seen all the time, and not told anew', async () => {
    const { server, juliet, id, got, romeo } = await start();
    await befriend(juliet, romeo);
    await juliet.sync();
    juliet.break();
    const nurse = await server.online('nurse@localhost/hall');
    await befriend(nurse, romeo);
    nurse.send(`<presence type='probe' to='juliet@localhost'/>`);
    romeo.send(`<presence type='probe' to='juliet@localhost'/>`);
    expect((await romeo.nextPresence(JULIET)).attr('type')).toBeUndefined();
    const { client } = await resume(server, JULIET, id, got());
    await client.sync();
    expect(await heard(romeo)).toEqual([]);
    await client.close();
    expect((await romeo.nextPresence(JULIET)).attr('type')).toBe('unavailable');
  });

  it('goes on counting on both sides, however often it is lost', async () => {
    const { server, juliet, id, romeo } = await start();
    let client = juliet;
    let h = 1;
    expect(await handled(client)).toBe('1');
    for (let round = 1; round <= 5; round++) {
      say(client, ROMEO, `to ${round}`);
      expect(words(await romeo.nextMessage())).toBe(`to ${round}`);
      client.break();
      say(romeo, JULIET, `from ${round}`);
      await romeo.sync();
      const resumed = await resume(server, JULIET, id, h);
      expect(resumed.answer.attr('h')).toBe(String(round + 1));
      client = resumed.client;
      expect(words(await client.nextMessage())).toBe(`from ${round}`);
      h++;
    }
    acknowledge(client, h);
    expect(await handled(client)).toBe('6');
    expect(server.sessionOf(JULIET).management?.backlog.unacknowledgedSince).toBeUndefined();
  });

  it('by two connections at once belongs to the last of them', async () => {
    const { server, juliet, id, romeo } = await start();
    juliet.break();
    const clients = [await server.authenticated(JULIET), await server.authenticated(JULIET)];
    for (const client of clients) client.send(`<resume xmlns='${NS.streamManagement}' previd='${id}' h='1'/>`);
    const [first, last] = clients as [typeof juliet, typeof juliet];
    expect((await first.take(({ ns }) => ns === NS.streamManagement)).name).toBe('resumed');
    expect((await first.take(({ name }) => name === 'error')).firstChild?.name).toBe('conflict');
    await first.closed;
    expect((await last.take(({ ns }) => ns === NS.streamManagement)).name).toBe('resumed');
    say(romeo, JULIET, 'hello');
    expect(words(await last.nextMessage())).toBe('hello');
    await server.settled();
    expect(server.sessions).toHaveLength(2);
  });

  it('by a client that counts more than it was sent is not, and can be resumed by another', async () => {
    const { server, juliet, id } = await start();
    juliet.break();
    const liar = await server.authenticated(JULIET);
    liar.send(`<resume xmlns='${NS.streamManagement}' previd='${id}' h='2'/>`);
    const error = await liar.take(({ name }) => name === 'error');
    expect(error.child('handled-count-too-high', NS.streamManagement)?.attr('send-count')).toBe('1');
    await liar.closed;
    await server.settled();
    expect(server.sessionOf(JULIET).detached).toBe(true);
    expect((await resume(server, JULIET, id, 1)).answer.name).toBe('resumed');
  });
});

describe('a session whose client does not come back', () => {
  it('leaves a chat to another resource, and what was for it alone to its senders', async () => {
    const { server, juliet, romeo } = await start();
    await befriend(juliet, romeo);
    const phone = await server.online(PHONE);
    await romeo.sync();
    juliet.break();
    say(romeo, JULIET, 'chat');
    say(romeo, JULIET, 'normal', 'normal');
    say(romeo, JULIET, 'headline', 'headline');
    romeo.send(`<iq type='get' id='q1' to='${JULIET}'><ping xmlns='${NS.ping}'/></iq>`);
    expect(await heard(romeo)).toEqual([]);
    await expire(server, JULIET);
    const came = (await romeo.sync()).map((stanza) => [stanza.name, stanza.attr('id'), conditionOf(stanza)].join(' '));
    expect(came.sort()).toEqual(['iq q1 service-unavailable', 'message normal service-unavailable', 'presence  ']);
    const unavailable = `presence unavailable ${JULIET}`;
    expect((await heard(phone)).slice(-2).sort()).toEqual(['chat', unavailable]);
    expect(await romeo.sync()).toEqual([]);
  });

  it('is gone for all who saw it, once', async () => {
    const { server, juliet, id, romeo } = await start();
    await befriend(juliet, romeo);
    juliet.break();
    await expire(server, JULIET);
    expect(await heard(romeo)).toEqual([`presence unavailable ${JULIET}`]);
    const { client, answer } = await resume(server, JULIET, id, 0);
    expect([answer.name, conditionOf({ child: () => answer }), answer.attr('h')]).toEqual([
      'failed',
      'item-not-found',
      '4',
    ]);
    await client.request('set', `<bind xmlns='${NS.bind}'><resource>balcony</resource></bind>`);
    say(romeo, JULIET, 'hello');
    expect(words(await client.nextMessage())).toBe('hello');
  });

  it('leaves nothing to those who have had it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { server, juliet, romeo } = await start();
    const phone = await server.online(PHONE);
    await phone.request('set', `<enable xmlns='${NS.carbons}'/>`);
    juliet.break();
    await server.settled();
    vi.setSystemTime(Date.now() + 60_000);
    say(romeo, 'juliet@localhost', 'to the account');
    say(romeo, JULIET, 'to the client');
    await romeo.sync();
    expect(await heard(phone)).toEqual(['to the account', 'message chat juliet@localhost']);
    await expire(server, JULIET);
    expect(await heard(phone)).toEqual([`presence unavailable ${JULIET}`]);
    await phone.close();
    const later = await server.client(PHONE);
    later.send('<presence/>');
    expect((await heard(later)).filter((text) => !text.startsWith('presence'))).toEqual([]);
  });

  it('that could not be resumed anyway leaves it at once', async () => {
    const server = await startServer();
    const romeo = await server.online(ROMEO);
    const juliet = await server.client(JULIET);
    expect((await enable(juliet, '')).attr('resume')).toBeUndefined();
    juliet.send('<presence/>');
    await juliet.nextPresence();
    say(romeo, JULIET, 'one');
    say(romeo, JULIET, 'two');
    await juliet.nextMessage();
    await juliet.nextMessage();
    acknowledge(juliet, 2);
    juliet.break();
    await server.settled();
    const again = await server.client(JULIET);
    again.send('<presence/>');
    const message = await again.nextMessage();
    expect([words(message), message.child('delay', NS.delay)?.attr('from')]).toEqual(['two', 'localhost']);
    expect(await heard(again)).toEqual([`presence  ${JULIET}`]);
  });
});

describe('a session that waits for its client', () => {
  it('makes room for another with the same resource, which gets what waits', async () => {
    const { server, juliet, id, romeo } = await start();
    juliet.break();
    say(romeo, JULIET, 'one');
    await romeo.sync();
    const again = await server.client(JULIET);
    expect(words(await again.nextMessage())).toBe('one');
    expect((await resume(server, JULIET, id, 1)).answer.attr('h')).toBe('1');
    // the new one can be resumed, too
    const second = (await enable(again)).attr('id') ?? '';
    again.break();
    say(romeo, JULIET, 'two');
    await romeo.sync();
    const { client } = await resume(server, JULIET, second, 0);
    expect(words(await client.nextMessage())).toBe('two');
  });

  it('makes room where its account has as many as it may have', async () => {
    const { server, juliet } = await start({ limits: { sessions: { perAccount: 2 } } });
    const phone = await server.client(PHONE);
    juliet.break();
    await server.client('juliet@localhost/tablet');
    const resources = server.sessions
      .filter(({ account }) => account.local === 'juliet')
      .map(({ jid }) => jid.resource);
    expect(resources.sort()).toEqual(['phone', 'tablet']);
    await phone.sync();
  });

  it.each(['removed', 'disabled', 'password'] as const)('ends as its account is changed: %s', async (change) => {
    const { server, juliet, id, romeo } = await start();
    juliet.send(`<presence to='${ROMEO}'/>`);
    await romeo.nextPresence(JULIET);
    juliet.break();
    say(romeo, JULIET, 'one');
    await romeo.sync();
    const account = Jid.parse('juliet@localhost');
    if (change === 'removed') await server.accounts.remove?.(account);
    else if (change === 'disabled') await server.accounts.disable?.(account);
    else await server.accounts.setPassword?.(account, 'another');
    await server.settled();
    expect((await romeo.nextPresence(JULIET)).attr('type')).toBe('unavailable');
    expect(server.sessions).toHaveLength(1);
    const [bounce] = await romeo.sync();
    expect(bounce && conditionOf(bounce)).toBe(change === 'removed' ? 'service-unavailable' : undefined);
    if (change !== 'password') return;
    const { client, answer } = await resume(server, JULIET, id, 1);
    expect(answer.name).toBe('failed');
    await client.request('set', `<bind xmlns='${NS.bind}'/>`);
    client.send('<presence/>');
    expect(words(await client.nextMessage())).toBe('one');
  });

  it('outlives a client that was asked whether it is there and did not answer', async () => {
    const { server, juliet, id } = await start();
    server.sessionOf(JULIET).end(new StreamError('connection-timeout'));
    await juliet.closed;
    await server.settled();
    expect(server.sessionOf(JULIET).detached).toBe(true);
    expect((await resume(server, JULIET, id, 1)).answer.name).toBe('resumed');
  });
});

it('more stored messages than may wait for an acknowledgement come all the same, once and in order', async () => {
  const server = await startServer({ config: { limits: { unacknowledged: { maxStanzas: 80 } } } });
  await server.account(JULIET);
  const romeo = await server.client(ROMEO);
  const numbers = Array.from({ length: 300 }, (_, number) => String(number));
  for (const number of numbers) say(romeo, 'juliet@localhost', number);
  await romeo.sync();
  const juliet = await server.client(JULIET);
  await enable(juliet);
  const bodies: string[] = [];
  let got = 0;
  const all = Promise.withResolvers<void>();
  juliet.onElement = (element) => {
    if (element.ns === NS.client) got++;
    if (element.name === 'message') bodies.push(words(element));
    // it is far away
    if (element.ns === NS.streamManagement) void turns(20).then(() => acknowledge(juliet, got));
    if (bodies.length === numbers.length) all.resolve();
  };
  juliet.send('<presence/>');
  await all.promise;
  expect(bodies).toEqual(numbers);
});

it('a keyspace that fails for a while holds everything up, and loses nothing', async () => {
  const { keyspace } = await openKeyspace(await emptyKeyspace());
  const unreliable = new UnreliableKeyspace(keyspace);
  const server = await startServer({ keyspace: unreliable.keyspace });
  const { client: juliet } = await resumable(server, JULIET);
  const { client: romeo } = await resumable(server, ROMEO);
  onTestFinished(() => {
    unreliable.fate = () => 'done';
  });
  unreliable.fate = () => 'refused';
  for (const text of ['one', 'two', 'three']) say(romeo, JULIET, text);
  romeo.send(`<r xmlns='${NS.streamManagement}'/>`);
  await turns(20);
  expect([juliet, romeo].flatMap(({ inbox }) => inbox.map(String))).toEqual([REQUEST, REQUEST]);
  const fates = ['late', 'unanswered', 'lost'] as const;
  let count = 0;
  unreliable.fate = () => fates[count++] ?? 'done';
  const got = [await juliet.nextMessage(), await juliet.nextMessage(), await juliet.nextMessage()].map(words);
  expect(got).toEqual(['one', 'two', 'three']);
  expect((await romeo.take(({ ns, name }) => ns === NS.streamManagement && name === 'a')).attr('h')).toBe('4');
  await unreliable.arrive();
  say(romeo, JULIET, 'four');
  expect(words(await juliet.nextMessage())).toBe('four');
  expect(server.count(({ errors }) => errors)).toBe(0);
});

it('a node that stops leaves its sessions to its successor, and waits until that is committed', async () => {
  const { server, juliet, romeo } = await start({}, { nodes: 1 });
  say(juliet, ROMEO, 'one');
  await romeo.nextMessage();
  const stopped = server.node.stop();
  expect((await juliet.take(({ name }) => name === 'error')).firstChild?.name).toBe('system-shutdown');
  await stopped;
  const { management } = server.sessionOf(JULIET);
  expect([management?.backlog.detached, server.node.hooks.pending.count]).toEqual([true, 0]);
  expect(server.count(({ errors }) => errors)).toBe(0);
});
