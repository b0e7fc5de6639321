import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { NS } from '@parley/xmpp/namespaces';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startServer, type TestServer } from '../../../tests/support/server.ts';
import { EXTERNAL, type FakeConnection, fakePeer } from './s2s/fake-peer.ts';
import { queueKeys } from './session/resumption/resumption-keys.ts';
import { CertificateAuthority, plainName } from './stream/testing.ts';

let authority: CertificateAuthority;
let ours: { cert: string; key: string };
let theirs: { cert: string; key: string };

beforeAll(async () => {
  authority = await CertificateAuthority.make();
  ours = await authority.issue(plainName(2, 'local.example'));
  theirs = await authority.issue(plainName(2, 'remote.example'));
});

/** Takes a stream of the server by both certificates. */
async function accept(connection: FakeConnection): Promise<void> {
  await connection.startTls(theirs);
  await connection.begin(EXTERNAL);
  await connection.until(/<auth [^>]*>[^<]*<\/auth>/);
  connection.send(`<success xmlns='${NS.sasl}'/>`);
  await connection.begin('');
}

/** A server of local.example that finds remote.example on this port. */
async function serverOf(port: number, federation: object = {}, keyspace?: Keyspace): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-federation-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return await startServer({
    nodes: 1,
    ...(keyspace && { keyspace }),
    config: {
      domains: ['local.example'],
      listen: { c2s: [], c2sTls: [], s2s: [], s2sTls: [], http: [] },
      tls: { certificate: file('own.crt', ours.cert), key: file('own.key', ours.key) },
      federation: {
        enabled: true,
        authorities: file('authorities.crt', authority.cert),
        peers: [{ domain: 'remote.example', connectTo: `127.0.0.1:${port}` }],
        ...federation,
      },
    },
  });
}

describe('stanzas for another server', () => {
  test('go out from whoever wrote them, on one stream', async () => {
    const peer = await fakePeer(accept);
    const server = await serverOf(peer.port);
    const romeo = await server.online('romeo@local.example/a');
    romeo.send(`<message to='juliet@remote.example' id='m1' type='chat'><body>Ay &amp; no</body></message>`);
    romeo.send(`<iq to='remote.example' id='q1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>`);
    romeo.send(`<presence to='juliet@remote.example' type='subscribe'/>`);
    await vi.waitFor(() => expect(peer.connections[0]?.log).toContain(`type='subscribe'`));
    const connection = peer.connections[0] as FakeConnection;
    await connection.until(
      /<message to='juliet@remote.example' from='romeo@local.example\/a' id='m1' type='chat'[^>]*><body>Ay &amp; no<\/body><\/message>/,
    );
    await connection.until(/<iq to='remote.example' from='romeo@local.example\/a' id='q1' type='get'/);
    await connection.until(/<presence to='juliet@remote.example' from='romeo@local.example' type='subscribe'/);
    expect(peer.connections.length).toBe(1);
    expect(server.log.find(({ event }) => event === 's2s.connected')).toMatchObject({
      local: 'local.example',
      remote: 'remote.example',
      encryption: 'TLSv1.3',
      tookUsBy: 'certificate',
      tookThemBy: 'certificate',
    });
    await server.node.stop();
    await connection.until(/<\/stream:stream>/);
  });

  test('mean the same between servers', async () => {
    const peer = await fakePeer(accept);
    const server = await serverOf(peer.port);
    const romeo = await server.online('romeo@local.example/a');
    const inner = `<message xmlns='jabber:client' to='a@b.example'><body>in</body></message>`;
    romeo.send(
      `<message to='juliet@remote.example'><body xmlns='jabber:client'>out</body>` +
        `<forwarded xmlns='urn:xmpp:forward:0'>${inner}</forwarded></message>`,
    );
    await vi.waitFor(() => expect(peer.connections[0]?.log).toContain('</forwarded></message>'));
    expect(peer.connections[0]?.log).toContain('<body>out</body>');
    expect(peer.connections[0]?.log).toContain(`<forwarded xmlns='urn:xmpp:forward:0'>${inner}</forwarded>`);
  });

  test('presence goes to subscribers there, and its end when the session ends', async () => {
    const peer = await fakePeer(accept);
    const server = await serverOf(peer.port);
    const romeo = await server.online('romeo@local.example/a');
    const received = (text: string) => vi.waitFor(() => expect(peer.connections[0]?.log).toContain(text));
    const incoming = (xml: string) => server.node.router.route(stanzaFromText(Buffer.from(xml)));
    romeo.send(`<presence to='juliet@remote.example' type='subscribed'/>`); // approved before she asks
    await romeo.sync();
    await incoming(`<presence from='juliet@remote.example' to='romeo@local.example' type='subscribe'/>`);
    await received(`<presence to='juliet@remote.example' from='romeo@local.example' type='subscribed'/>`);
    romeo.send('<presence><show>chat</show></presence>');
    await received(`<presence to='juliet@remote.example' from='romeo@local.example/a'><show>chat</show></presence>`);
    await incoming(`<presence from='juliet@remote.example' to='romeo@local.example' type='probe' id='p'/>`);
    await vi.waitFor(() => expect(peer.connections[0]?.log.match(/<show>chat<\/show>/g)?.length).toBe(2));
    await romeo.close();
    await received(`<presence to='juliet@remote.example' from='romeo@local.example/a' type='unavailable'/>`);
  });
});

describe('what waits when the server stops', () => {
  const start = async () => {
    const { keyspace } = await openKeyspace('embedded::memory:');
    const server = await serverOf(1, {}, keyspace);
    const romeo = await server.online('romeo@local.example/a');
    for (const id of ['m1', 'm2']) {
      romeo.send(`<message to='juliet@remote.example' id='${id}' type='chat'><body>Ay</body></message>`);
    }
    await romeo.sync();
    await server.node.stop();
    expect(await keyspace.hlen(queueKeys.key('remote.example'))).toBe(1);
    return keyspace;
  };
  const gone = (keyspace: Keyspace) =>
    vi.waitFor(async () => expect(await keyspace.hlen(queueKeys.key('remote.example'))).toBe(0));

  test('goes out when it starts again, in order', async () => {
    const keyspace = await start();
    const peer = await fakePeer(accept);
    const server = await serverOf(peer.port, { timeouts: { idleSeconds: 1 } }, keyspace);
    await vi.waitFor(() => expect(peer.connections[0]?.log).toMatch(/id='m1'.*id='m2'/s));
    expect(server.log.some(({ event }) => event === 's2s.restored')).toBe(true);
    await gone(keyspace);
    expect(peer.connections.length).toBe(1);
  });

  test.each([
    ['federation is off by then', { enabled: false }, 'remote-server-not-found'],
    ['the domain is closed by then', { default: 'deny', peers: [] }, 'not-allowed'],
    ['its time is over', { queue: { seconds: 1 } }, 'remote-server-timeout'],
  ])('comes back where %s', async (_, federation, condition) => {
    const keyspace = await start();
    if ('queue' in federation) vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10_000);
    const server = await serverOf(1, federation, keyspace);
    const { federationReturned } = server.node.registry.metrics;
    await vi.waitFor(() => expect(federationReturned.with({ condition: condition as 'not-allowed' }).value).toBe(2));
    await server.node.stop();
    expect(await keyspace.hlen(queueKeys.key('remote.example'))).toBe(0);
  });
});

describe('what cannot be delivered', () => {
  test('is answered exactly once', async () => {
    const server = await serverOf(1, { queue: { seconds: 30 }, retry: { firstSeconds: 60 } });
    const romeo = await server.online('romeo@local.example/a');
    romeo.send(`<message to='juliet@remote.example' id='m1'><body>hi</body></message>`);
    romeo.send(`<iq to='juliet@remote.example/x' id='q1' type='get'><a xmlns='urn:a'/></iq>`);
    romeo.send(`<presence to='juliet@remote.example'/>`);
    romeo.send(`<message to='juliet@remote.example' id='e1' type='error'/>`);
    romeo.send(`<iq to='juliet@remote.example/x' id='r1' type='result'/>`);
    const answers = [await romeo.next(), await romeo.next()].map((each) => each.toString());
    for (const [index, id] of ['m1', 'q1'].entries()) {
      expect(answers[index]).toContain(`id='${id}'`);
      expect(answers[index]).toContain('remote-server-timeout');
      expect(answers[index]).toContain('The server of remote.example cannot be reached.');
      expect(answers[index]).not.toContain('127.0.0.1');
    }
    expect(await romeo.sync()).toEqual([]);
    expect(
      server.log.some(({ event, message }) => event === 's2s.failed' && String(message).includes('127.0.0.1')),
    ).toBe(true);
  });

  test('is refused by policy before anything is asked', async () => {
    const server = await serverOf(1, { default: 'deny', peers: [] });
    const romeo = await server.online('romeo@local.example/a');
    romeo.send(`<message to='juliet@remote.example' id='m1'><body>hi</body></message>`);
    expect((await romeo.next()).toString()).toContain('not-allowed');
  });

  test('is refused where federation is off', async () => {
    const server = await serverOf(1, { enabled: false });
    const romeo = await server.online('romeo@local.example/a');
    romeo.send(`<message to='juliet@remote.example' id='m1'><body>hi</body></message>`);
    expect((await romeo.next()).toString()).toContain('remote-server-not-found');
  });
});

test('a reload changes whom the server talks to, and a bad file changes nothing', async () => {
  const server = await serverOf(1, { default: 'deny', peers: [] });
  const { node } = server;
  const next = structuredClone(node.config);
  next.federation.default = 'certificate';
  next.federation.authorities = join(tmpdir(), 'there-is-no-such-file.crt');
  await expect(node.reload(next)).rejects.toThrow('federation.authorities');
  expect(node.federation.policy('remote.example').allow).toBe(false);
  next.federation.authorities = node.config.federation.authorities;
  await node.reload(next);
  expect(node.federation.policy('remote.example').allow).toBe(true);
});
