import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { TestClient } from '../../../../../tests/support/client.ts';
import { MemoryTransport } from '../../../../../tests/support/memory-transport.ts';
import { startServer } from '../../../../../tests/support/server.ts';
import { memoryWire } from '../../../../../tests/support/wires.ts';
import presence from '../../im/presence.ts';
import roster from '../../im/roster.ts';
import type { Session } from '../../session/session.ts';
import clientState from './client-state.ts';

const nonza = (name: string) => `<${name} xmlns='${NS.clientState}'/>`;
const words = (stanza: Element) => stanza.attr('id') ?? stanza.name;

/** Juliet, to whom nobody looks, and Romeo with two clients. */
async function start(options: object = {}) {
  const config = { modules: { 'client-state': options } } as never;
  const server = await startServer({ modules: [roster, presence, clientState], config });
  const juliet = await server.online('juliet@localhost/balcony');
  const orchard = await server.client('romeo@localhost/orchard');
  const hall = await server.client('romeo@localhost/hall');
  juliet.send(nonza('inactive'));
  await juliet.sync();
  const show = (client = orchard, id = '') => client.send(`<presence to='${juliet.jid}' id='${id}'/>`);
  const compose = (state: string) =>
    orchard.send(`<message to='${juliet.jid}' id='${state}'><${state} xmlns='${NS.chatStates}'/></message>`);
  const say = (id: string) => orchard.send(`<message to='${juliet.jid}' id='${id}'><body>hi</body></message>`);
  return { server, juliet, orchard, hall, show, compose, say };
}

it('is offered after authentication, and taken only then', async () => {
  const server = await startServer({ modules: [clientState] });
  const connect = (account?: string) => {
    const transport = new MemoryTransport();
    const stream = server.node.attach(transport);
    if (account !== undefined) stream.authenticated(Jid.parse(account), 'TEST');
    const client = new TestClient(memoryWire(transport));
    client.open('localhost');
    return client;
  };
  const before = connect();
  expect((await before.next()).child('csi', NS.clientState)).toBeUndefined();
  before.send(nonza('inactive'));
  expect((await before.next()).child('not-authorized', NS.streamErrors)).toBeDefined();
  await before.closed;

  const after = connect('juliet@localhost');
  expect((await after.next()).child('csi', NS.clientState)).toBeDefined();
  after.send(nonza('inactive')); // nothing is bound that it could be said of
  expect((await after.request('set', `<bind xmlns='${NS.bind}'/>`)).attr('type')).toBe('result');
});

describe('while nobody looks', () => {
  it('presence and chat states wait, the last of each', async () => {
    const { juliet, hall, show, compose } = await start();
    show(undefined, '1');
    show(hall, '2');
    show(undefined, '3');
    compose('composing');
    compose('paused');
    juliet.send(nonza('inactive')); // said twice
    juliet.send(nonza('active'));
    expect((await juliet.sync()).map(words)).toEqual(['2', '3', 'paused']);
    show(undefined, '4');
    juliet.send(nonza('active'));
    expect((await juliet.sync()).map(words)).toEqual(['4']);
  });

  it('they come before whatever is important', async () => {
    const { juliet, show, say } = await start();
    show(undefined, '1');
    say('2');
    show(undefined, '3');
    expect((await juliet.nextMessage()).attr('id')).toBe('2');
    expect(words(await juliet.next())).toBe('1');
    say('4');
    expect((await juliet.nextMessage()).attr('id')).toBe('4');
    expect(words(await juliet.next())).toBe('3');
  });

  it('they come before the answer to what the client sends after it became active', async () => {
    const { juliet, show } = await start();
    show(undefined, '1');
    juliet.send(`${nonza('active')}<iq id='q' type='get' to='localhost'><x xmlns='urn:x'/></iq>`);
    expect(words(await juliet.next())).toBe('1');
    expect(words(await juliet.next())).toBe('q');
  });

  it('no more waits than may', async () => {
    const { juliet, hall, show } = await start({ maxStanzas: 1 });
    show(undefined, '1');
    expect(juliet.inbox).toEqual([]);
    show(hall, '2');
    expect(juliet.inbox.map(words)).toEqual(['1', '2']);
  });

  it('others get everything at once', async () => {
    const { server, orchard } = await start();
    const nurse = await server.online('nurse@localhost/hall');
    orchard.send(`<presence to='${nurse.jid}' id='1'/>`);
    expect(words(await nurse.nextPresence(orchard.jid))).toBe('1');
  });
});

it('forgets a client that goes', async () => {
  const { server, juliet, show } = await start();
  show();
  await juliet.close();
  const again = await server.client('juliet@localhost/balcony');
  expect(await again.sync()).toEqual([]);
});

it('knows no other states', async () => {
  const { juliet } = await start();
  juliet.send(nonza('asleep'));
  expect(
    (await juliet.take((element) => element.name === 'error')).child('unsupported-stanza-type', NS.streamErrors),
  ).toBeDefined();
  await juliet.closed;
});

describe('a client that has lost its stream', () => {
  async function lost() {
    const all = await start();
    const [session] = all.server.node.sessions.of(Jid.parse(all.juliet.bare)) as [Session];
    const { events } = all.server.node.hooks;
    all.juliet.send(nonza('active'));
    await all.juliet.sync();
    return { ...all, session, events };
  }

  it.each(['session.detached', 'session.restored'] as const)('is spared what can wait: %s', async (event) => {
    const { juliet, orchard, show, session, events } = await lost();
    if (event === 'session.detached') events.emit(event, session, 'lost');
    else events.emit(event, session, []);
    show(undefined, '1');
    show(undefined, '2');
    await orchard.sync();
    expect(juliet.inbox).toEqual([]);
    events.emit('session.resumed', session);
    show(undefined, '3');
    expect((await juliet.sync()).map(words)).toEqual(['2', '3']);
  });

  it('is looked at when it comes back, whatever it said before', async () => {
    const { juliet, show, session, events } = await lost();
    juliet.send(nonza('inactive'));
    await juliet.sync();
    show(undefined, '1');
    events.emit('session.resumed', session);
    show(undefined, '2');
    expect((await juliet.sync()).map(words)).toEqual(['1', '2']);
  });
});
