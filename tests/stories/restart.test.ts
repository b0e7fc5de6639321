// A node that is killed and the one that follows it, on one keyspace.
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { internalAccounts } from '@parley/server/accounts';
import { ResumptionStore } from '@parley/server/session/resumption/resumption-store';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished, vi } from 'vitest';
import { befriend, push, roster, setRoster } from '../support/contacts.ts';
import { acknowledge, expire, handled, heard, resumable, resume, say, words } from '../support/resumption.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { emptyKeyspace } from '../support/topology.ts';
import { UnreliableKeyspace } from '../support/unreliable-keyspace.ts';

const JULIET = 'juliet@localhost/balcony';
const PHONE = 'juliet@localhost/phone';
const ROMEO = 'romeo@localhost/orchard';

/** A keyspace, and nodes on it, one after the other. */
async function start(config = {}) {
  const { keyspace } = await openKeyspace(await emptyKeyspace());
  let current: UnreliableKeyspace;
  const next = async (): Promise<TestServer> => {
    current = new UnreliableKeyspace(notClosing(keyspace));
    return startServer({ keyspace: current.keyspace, config });
  };
  const server = await next();
  /** The node dies without a word, and the next one starts. */
  const restart = () => {
    current.fate = () => 'closed';
    return next();
  };
  return { server, restart };
}

/** Resolves when Juliet's journal has a message with this text. */
async function journaled(server: TestServer, text: string): Promise<void> {
  const store = new ResumptionStore({ keyspace: server.keyspace, onDamaged: (error) => expect.fail(error.message) });
  const { account, sessionId } = server.sessionOf(JULIET);
  await vi.waitFor(async () => {
    const kept = await store.read(account, sessionId);
    expect(kept?.entries.map((entry) => entry.text)).toContainEqual(expect.stringContaining(text));
  });
}

/** The nodes of a test close it, the first of them while the others still use it. */
function notClosing(keyspace: Keyspace): Keyspace {
  return new Proxy(keyspace, {
    get(target, name) {
      if (name === 'close') return async () => {};
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

it('everything goes on where it was', async () => {
  const { server, restart } = await start();
  const juliet = await resumable(server, JULIET);
  const romeo = await resumable(server, ROMEO);
  await befriend(juliet.client, romeo.client);
  await roster(juliet.client);
  await juliet.client.request('set', `<enable xmlns='${NS.carbons}'/>`);
  juliet.client.send('<presence><status>On the balcony</status><priority>3</priority></presence>');
  await romeo.client.nextPresence(JULIET);
  say(romeo.client, JULIET, 'got');
  await juliet.client.take((stanza) => stanza.childText('body') === 'got');
  const before = { juliet: juliet.got(), romeo: romeo.got() };
  say(romeo.client, JULIET, 'not got'); // it reaches the journal, and a connection that is gone
  const acknowledged = await handled(romeo.client);

  const second = await restart();
  expect(second.sessionOf(JULIET)).toMatchObject({ detached: true, priority: 3, carbons: true, interested: true });
  expect(second.log).toContainEqual(expect.objectContaining({ event: 'resumption.restored', sessions: 2 }));
  // both are seen by who asks
  const nurse = await second.online('nurse@localhost/hall');
  say(nurse, 'juliet@localhost', 'while she is away');
  const phone = await second.client(PHONE);
  await setRoster(phone, `<item jid='nurse@localhost' name='Nurse'/>`);
  phone.send('<presence/>');
  expect((await phone.nextPresence(JULIET)).childText('status')).toBe('On the balcony');

  const back = await resume(second, ROMEO, romeo.id, before.romeo);
  expect(back.answer.name).toBe('resumed');
  expect(Number(back.answer.attr('h'))).toBeGreaterThanOrEqual(Number(acknowledged));
  say(back.client, JULIET, 'after the restart');
  const { client, answer } = await resume(second, JULIET, juliet.id, before.juliet);
  expect(answer.name).toBe('resumed');
  const bodies = [await client.nextMessage(), await client.nextMessage(), await client.nextMessage()].map(words);
  expect(bodies).toEqual(['not got', 'while she is away', 'after the restart']);
  expect((await push(client)).attr('jid')).toBe('nurse@localhost');
  expect((await heard(client)).filter((text) => !text.startsWith('presence'))).toEqual([]);

  // and ends as any other
  await client.close();
  expect((await back.client.nextPresence(JULIET)).attr('type')).toBe('unavailable');
  await second.settled();
  const third = await restart();
  expect(third.sessions.map(({ jid }) => jid.toString())).toEqual([ROMEO]);
});

it('what was sent, but not acknowledged, is sent again and comes once, and so do its copies', async () => {
  const { server, restart } = await start();
  const juliet = await resumable(server, JULIET);
  const romeo = await resumable(server, ROMEO);
  const tablet = await resumable(server, 'romeo@localhost/tablet');
  await tablet.client.request('set', `<enable xmlns='${NS.carbons}'/>`);
  const h = await handled(romeo.client);
  const send = (client: typeof romeo.client) => {
    for (const text of ['one', 'two']) say(client, JULIET, text);
  };
  send(romeo.client);
  await juliet.client.take((stanza) => stanza.childText('body') === 'two');
  await tablet.client.sync();
  const counts = [juliet.got(), tablet.got()] as const;

  const second = await restart(); // which knows only as much as was acknowledged
  const back = await resume(second, ROMEO, romeo.id, romeo.got());
  expect(back.answer.attr('h')).toBe(h);
  send(back.client);
  say(back.client, JULIET, 'three');
  const again = await resume(second, JULIET, juliet.id, counts[0]);
  const copies = await resume(second, 'romeo@localhost/tablet', tablet.id, counts[1]);
  expect(words(await again.client.nextMessage())).toBe('three');
  expect(await heard(again.client)).toEqual([]);
  const copy = await copies.client.nextMessage();
  expect(copy.child('sent', NS.carbons)?.toString()).toContain('three');
  expect(await heard(copies.client)).toEqual([]);
  expect(await handled(back.client)).toBe(String(Number(h) + 3));
});

it('nodes may die one after the other before anybody comes back', async () => {
  const { server, restart } = await start();
  const juliet = await resumable(server, JULIET);
  const romeo = await server.online(ROMEO);
  say(romeo, JULIET, 'one');
  await juliet.client.nextMessage();
  await juliet.client.sync();
  const h = juliet.got();
  let current = server;
  for (const text of ['two', 'three']) {
    current = await restart();
    const again = await current.online(ROMEO);
    say(again, JULIET, text);
    await again.sync();
    await journaled(current, text);
  }
  current = await restart();
  const { client } = await resume(current, JULIET, juliet.id, h);
  expect((await heard(client)).filter((text) => !text.startsWith('presence'))).toEqual(['two', 'three']);
  acknowledge(client, h + 20); // more than that
  await client.closed;
});

it('a session whose client does not come back leaves what the other node had taken', async () => {
  const { server, restart } = await start();
  const juliet = await resumable(server, JULIET);
  const romeo = await server.online(ROMEO);
  juliet.client.send(`<presence to='${ROMEO}'/>`);
  await romeo.nextPresence(JULIET);
  say(romeo, JULIET, 'one');
  await juliet.client.nextMessage();
  const second = await restart();
  const again = await second.client(ROMEO);
  again.send('<presence/>');
  await expire(second, JULIET);
  expect((await again.nextPresence(JULIET)).attr('type')).toBe('unavailable');
  const phone = await second.client(PHONE);
  phone.send('<presence/>');
  const message = await phone.nextMessage();
  expect([words(message), message.child('delay', NS.delay) !== undefined]).toEqual(['one', true]);
});

it('what a node was handing on when it died is handed on by the next', async () => {
  const { server, restart } = await start();
  const juliet = await resumable(server, JULIET);
  const romeo = await server.online(ROMEO);
  juliet.client.break();
  for (const text of ['one', 'two']) say(romeo, JULIET, text);
  await romeo.sync();
  // it ends, and the node dies before the first one is routed
  const begun = Promise.withResolvers<void>();
  const death = Promise.withResolvers<void>();
  onTestFinished(() => death.resolve());
  server.node.router.route = () => {
    begun.resolve();
    return death.promise;
  };
  server.sessionOf(JULIET).finish('over');
  await begun.promise;
  const second = await restart();
  const phone = await second.client(PHONE);
  phone.send('<presence/>');
  expect([words(await phone.nextMessage()), words(await phone.nextMessage())]).toEqual(['one', 'two']);
});

it('an account that was disabled meanwhile has no session any more', async () => {
  const { server, restart } = await start();
  await resumable(server, JULIET);
  // somebody does so with the keyspace alone
  const disabled = await restart();
  const all = internalAccounts({
    keyspace: disabled.keyspace,
    modules: [],
    secret: () => Buffer.alloc(32),
    config: () => disabled.node.config,
  });
  await all.disable(Jid.parse('juliet@localhost'));
  const third = await restart();
  await third.settled();
  expect(third.sessions).toEqual([]);
});
