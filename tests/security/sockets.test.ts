import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { base64, conditionOf, features, mechanismsOf, plain } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { socketWire } from '../support/wires.ts';
import { undisturbed } from './canaries.ts';

const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`;
const STARTTLS = `<starttls xmlns='${NS.tls}'/>`;
const AUTH = `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${base64('\0mercutio\0secret')}</auth>`;
const MESSAGE = `<message to='juliet@localhost/canary'><body>x</body></message>`;

async function start(stream = {}): Promise<TestServer> {
  const here = [{ host: '127.0.0.1', port: 0 }];
  const server = await startServer({ config: { listen: { c2s: here, c2sTls: here, http: [] }, stream } as never });
  await server.account('mercutio@localhost');
  return server;
}

const portOf = (server: TestServer, name: string) => server.node.ports.find((each) => each.name === name)?.port ?? 0;

/** A client on the port for STARTTLS, and what carries it. */
async function connected(server: TestServer) {
  const wire = await socketWire(portOf(server, 'c2s'));
  return { wire, client: new TestClient(wire) };
}

/** A bare connection. */
async function socket(server: TestServer, name: string): Promise<Socket> {
  const raw = connect({ port: portOf(server, name), host: '127.0.0.1' });
  onTestFinished(() => void raw.destroy());
  await once(raw, 'connect');
  return raw.on('error', () => {});
}

const isProceed = (element: { is(name: string, ns: string): boolean }) => element.is('proceed', NS.tls);

describe('what comes in clear text before the handshake', () => {
  test.each([
    ['a login', AUTH],
    ['a header and a login', `${HEADER}${AUTH}`],
    ['a stanza', MESSAGE],
    ['the end of the stream', '</stream:stream>'],
    ['what is ill-formed', '</a><!-- '],
    ['half an element', '<auth'],
  ])('%s, in the same segment, is never looked at', async (_, behind) => {
    const server = await start();
    await undisturbed(server, async () => {
      const { wire, client } = await connected(server);
      client.open('localhost');
      expect(mechanismsOf(await features(client))).toEqual([]);
      client.send(STARTTLS + behind);
      await client.take(isProceed);
      await wire.upgrade('localhost');
      client.open('localhost');
      expect(mechanismsOf(await features(client))).toContain('PLAIN');
      expect([server.node.sessions.size, server.log.filter(({ event }) => event.startsWith('login.'))]).toEqual([
        2,
        [],
      ]);
      expect(conditionOf(await plain(client, 'mercutio', 'secret'))).toBe('success');
    });
  });

  test('a login, in the next segment, ends the connection', async () => {
    const server = await start();
    await undisturbed(server, async () => {
      const { client } = await connected(server);
      client.open('localhost');
      await features(client);
      client.send(STARTTLS);
      await client.take(isProceed);
      client.send(HEADER + AUTH);
      await client.closed;
    });
    expect([...server.node.streams]).toHaveLength(2);
  });
});

test('a client that sends a byte at a time gets the same answers', async () => {
  const server = await start();
  await undisturbed(server, async () => {
    const { wire, client } = await connected(server);
    const slowly = async (text: string) => {
      for (const byte of Buffer.from(text)) {
        client.sendBytes(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await slowly(HEADER);
    await features(client);
    await slowly(STARTTLS);
    await client.take(isProceed);
    await wire.upgrade('localhost');
    client.open('localhost');
    await features(client);
    await slowly(AUTH);
    expect((await client.next()).is('success', NS.sasl)).toBe(true);
    client.open('localhost');
    await features(client);
    await slowly(`<iq type='set' id='1'><bind xmlns='${NS.bind}'><resource>é</resource></bind></iq>`);
    expect((await client.nextIq()).firstChild?.childText('jid')).toBe('mercutio@localhost/é');
    await slowly('<message to="mercutio@localhost/é"><body>€ 😀</body></message></stream:stream>');
    expect((await client.nextMessage()).childText('body')).toBe('€ 😀');
    await client.closed;
  });
});

test('time is limited for whoever says nothing, little, or nothing that is a handshake', async () => {
  const server = await start({ authenticateTimeoutSeconds: 1, handshakeTimeoutSeconds: 1 });
  await undisturbed(server, async () => {
    const began = performance.now(); // the time of each begins when it comes
    const silent = await socket(server, 'c2s');
    const silentTls = await socket(server, 'c2sTls');
    const little = await socket(server, 'c2s');
    const halfHandshake = await socket(server, 'c2sTls');
    const slowHandshake = await socket(server, 'c2s');
    halfHandshake.write(Buffer.from('160301', 'hex'));
    slowHandshake.write(HEADER + STARTTLS);
    const all = [silent, silentTls, little, halfHandshake, slowHandshake];
    const closed = all.map((each) => once(each.resume(), 'close'));
    let open = true;
    const trickle = (async () => {
      for (const character of HEADER + ' '.repeat(1000)) {
        if (!open) return;
        little.write(character);
        await delay(50);
      }
    })();
    await Promise.all(closed);
    open = false;
    await trickle;
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(server.node.streams.size).toBe(2);
  });
});

test('connections that break at any point leave nothing behind', async () => {
  const server = await start();
  await undisturbed(server, async () => {
    const script = Buffer.from(HEADER + STARTTLS);
    for (let length = 0; length <= script.length; length += 7) {
      const raw = await socket(server, 'c2s');
      raw.write(script.subarray(0, length));
      if (length % 2 === 0) raw.resetAndDestroy();
      else raw.end();
      await once(raw.resume(), 'close');
    }
  });
  await expect.poll(() => server.node.streams.size).toBe(2);
});
