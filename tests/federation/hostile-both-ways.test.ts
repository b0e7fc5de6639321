import { readFileSync } from 'node:fs';
import { EXTERNAL, type FakeConnection, fakePeer, MANAGEMENT } from '@parley/server/s2s/fake-peer';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';
import { HostileServer } from './hostile-server.ts';
import { logged, OURS, World } from './world.ts';

const HONEST = 'honest.lit';
const HOSTILE = 'hostile.lit';
const ROMEO = `romeo@${OURS}`;
const BIDI = `<bidi xmlns='${NS.bidi}'/>`;
const OFFER = `<bidi xmlns='${NS.bidiFeature}'/>`;
const AUTH = `<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`;
const ENABLE = `<enable xmlns='${NS.streamManagement}'/>`;
const message = (from: string, to = ROMEO) => `<message from='${from}' to='${to}'><body>forged</body></message>`;

let world: World;
let honest: XmppPeer;
beforeAll(async () => {
  world = await World.make();
  honest = await world.peer('Prosody', HONEST);
});
afterAll(() => world[Symbol.asyncDispose]());

describe('somebody who wants what we have for others on a stream of its own', () => {
  const start = async (federation: object = {}) => {
    const server = await world.server({ federation });
    const romeo = await server.online(`${ROMEO}/here`);
    const juliet = await clientOf(honest, 'juliet');
    juliet.send('<presence/>');
    await juliet.nextPresence(juliet.jid);
    const hostile = await HostileServer.connect(server.port('s2s'));
    /** What Romeo says to her is hers, and nobody else's. */
    const secret = async () => {
      romeo.send(`<message type='chat' to='${juliet.jid}'><body>secret</body></message>`);
      expect((await juliet.nextMessage(`${ROMEO}/here`)).childText('body')).toBe('secret');
      expect(hostile.inbox.join('')).not.toContain('secret');
      expect(logged(server, 's2s.connected')).toMatchObject([{ remote: HONEST, stream: 'ours' }]);
    };
    return { server, romeo, juliet, hostile, secret };
  };

  it('and has proved to be somebody else', async () => {
    const { hostile, secret } = await start();
    const features = await hostile.begin(HOSTILE, OURS, world.certificates.of(HOSTILE));
    expect(features?.child('bidi', NS.bidiFeature)).toBeDefined();
    hostile.send(BIDI + AUTH);
    await hostile.next();
    hostile.open(HOSTILE, OURS);
    await hostile.next();
    hostile.send(ENABLE);
    expect((await hostile.next())?.name).toBe('enabled');
    await secret();
    expect(hostile.closed).toBe(false);
  });

  it.each([
    ['and has no proof', 'a certificate of its own'],
    ['and waits for an answer to a key', 'a key'],
  ])('%s', async (_, how) => {
    const { hostile, secret } = await start(how === 'a key' ? { default: 'certificate-or-dialback' } : {});
    const features = await hostile.begin(HONEST, OURS, world.certificates.of(HOSTILE));
    expect(features?.child('mechanisms', NS.sasl)).toBeUndefined();
    hostile.send(BIDI + (how === 'a key' ? `<db:result from='${HONEST}' to='${OURS}'>x</db:result>` : AUTH));
    await secret();
  });

  it('and has asked for that before the encryption that it then begins', async () => {
    const { hostile, server, romeo } = await start({ minTls: 'none' });
    hostile.open(HOSTILE, OURS);
    const features = await hostile.next();
    expect(features?.child('bidi', NS.bidiFeature)).toBeDefined();
    hostile.send(`${BIDI}<starttls xmlns='${NS.tls}'/>`);
    expect((await hostile.next())?.name).toBe('proceed');
    await hostile.encrypt(OURS, world.certificates.of(HOSTILE));
    hostile.open(HOSTILE, OURS);
    await hostile.next();
    hostile.send(AUTH);
    await hostile.next();
    hostile.open(HOSTILE, OURS);
    await hostile.next();
    hostile.send(ENABLE);
    await hostile.next();
    romeo.send(`<message to='eve@${HOSTILE}'><body>hi</body></message>`);
    expect((await romeo.nextMessage(`eve@${HOSTILE}`)).attr('type')).toBe('error'); // DNS knows no way to it
    expect(logged(server, 's2s.connected')).toEqual([]);
    expect(hostile.inbox).toEqual([]);
  });
});

describe('somebody whom we connect to, and who may send on that stream', () => {
  const start = async (then: (connection: FakeConnection) => void, more: object = {}) => {
    const { certificate, key } = world.certificates.of(HOSTILE);
    const own = { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    const hostile = await fakePeer(async (connection) => {
      await connection.startTls(own);
      await connection.begin(EXTERNAL + OFFER);
      await connection.until(/<auth [^>]*>[^<]*<\/auth>/);
      connection.send(`<success xmlns='${NS.sasl}'/>`);
      await connection.begin(MANAGEMENT);
      await connection.until(/<enable [^>]*\/>/);
      connection.send(`<enabled xmlns='${NS.streamManagement}'/>`);
      await connection.until(/<message /);
      connection.send(`<a xmlns='${NS.streamManagement}' h='1'/>`);
      then(connection);
    });
    world.dns.serve(HOSTILE, hostile.port);
    const peers = [{ domain: HOSTILE, bidirectional: true, ...more }];
    const server = await world.server({ federation: { peers } });
    const romeo = await server.online(`${ROMEO}/here`);
    const benvolio = await server.online(`benvolio@${OURS}/here`);
    return { server, romeo, begin: () => benvolio.send(`<message to='eve@${HOSTILE}'><body>hi</body></message>`) };
  };

  it.each([
    [`juliet@${HONEST}`, ROMEO, 'invalid-from'],
    [`juliet@below.${HOSTILE}`, ROMEO, 'invalid-from'],
    [`juliet@${OURS}`, ROMEO, 'invalid-from'],
    [OURS, ROMEO, 'invalid-from'],
    [`eve@${HOSTILE}`, `juliet@${HONEST}`, 'host-unknown'],
    [`eve@${HOSTILE}`, `eve@${HOSTILE}`, 'host-unknown'],
  ])('cannot write from %s to %s', async (from, to, condition) => {
    const { promise, resolve } = Promise.withResolvers<FakeConnection>();
    const { romeo, server, begin } = await start((connection) => {
      connection.send(message(from, to));
      resolve(connection);
    });
    begin();
    const connection = await promise;
    await connection.until(new RegExp(`<${condition} `));
    await vi.waitFor(() => expect(logged(server, 's2s.closed').length).toBe(1));
    expect(await romeo.sync()).toEqual([]);
    expect(logged(server, 's2s.accepted')).toEqual([]);
  });

  it('is heard as itself, as far as the policy and people let it', async () => {
    const mine = (to: string, what: string) => `<${what} from='eve@${HOSTILE}' to='${to}'/>`;
    const { romeo, begin } = await start(
      (connection) => connection.send(mine(ROMEO, 'presence') + message(`eve@${HOSTILE}/x`)),
      { stanzas: ['message'] },
    );
    begin();
    expect((await romeo.nextMessage(`eve@${HOSTILE}/x`)).childText('body')).toBe('forged');
    expect(await romeo.sync()).toEqual([]);
  });

  it('is not heard by those who have blocked it', async () => {
    const { promise, resolve } = Promise.withResolvers<FakeConnection>();
    const { romeo, begin } = await start((connection) => {
      connection.send(message(`eve@${HOSTILE}/x`));
      resolve(connection);
    });
    await romeo.request('set', `<block xmlns='${NS.blocking}'><item jid='${HOSTILE}'/></block>`);
    begin();
    const connection = await promise;
    await connection.until(/<message [^>]*type='error'/);
    connection.send(`<a xmlns='${NS.streamManagement}' h='2'/>`);
    expect(await romeo.sync()).toEqual([]);
  });
});
