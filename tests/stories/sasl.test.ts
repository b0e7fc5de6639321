import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { clientCertificate, xmppAddress } from '@parley/server/stream/testing';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { answer, base64, conditionOf, features, mechanismsOf, plain, scram, sendAuth } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { socketWire } from '../support/wires.ts';

const TLS = 'urn:ietf:params:xml:ns:xmpp-tls';
const right = { username: 'juliet', password: 'secret' };

let server: TestServer;
let client: TestClient;
let socket: TLSSocket;

const exporter = () => socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));

/** The data of tls-server-end-point, as the client sees the certificate. */
function endPoint(): Buffer {
  return createHash('sha256').update(socket.getPeerCertificate().raw).digest();
}

async function bind(): Promise<string | undefined> {
  const answer = await client.request('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`);
  return answer.firstChild?.childText('jid');
}

beforeEach(async () => {
  server = await startServer({
    config: {
      listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], http: [] },
      limits: { logins: { delaySeconds: 0 } },
    },
  });
  await server.account('juliet@localhost');
  const wire = await socketWire(server.port('c2s'));
  client = new TestClient(wire);
  client.open('localhost');
  expect(mechanismsOf(await features(client))).toEqual([]); // STARTTLS comes first
  client.send(`<starttls xmlns='${TLS}'/>`);
  expect((await client.next()).name).toBe('proceed');
  socket = await wire.upgrade('localhost');
  client.open('localhost');
});

test('everything that a client may log in by is offered over TLS', async () => {
  const offer = await features(client);
  expect(mechanismsOf(offer)).toEqual([
    'SCRAM-SHA-512-PLUS',
    'SCRAM-SHA-256-PLUS',
    'SCRAM-SHA-1-PLUS',
    'SCRAM-SHA-512',
    'SCRAM-SHA-256',
    'SCRAM-SHA-1',
    'PLAIN',
  ]);
  const types = offer.child('sasl-channel-binding', 'urn:xmpp:sasl-cb:0')?.elements.map((each) => each.attr('type'));
  expect(types).toEqual(['tls-exporter', 'tls-server-end-point']);
});

describe('a client logs in and binds', () => {
  test('by PLAIN', async () => {
    expect(conditionOf(await plain(client, 'juliet', 'secret'))).toBe('success');
    expect(await bind()).toMatch(/^juliet@localhost\/./);
  });

  test.each([
    ['SCRAM-SHA-1', 'nothing', { header: 'n,,' }],
    ['SCRAM-SHA-256-PLUS', 'tls-exporter', { plus: true, header: 'p=tls-exporter,,' }],
    ['SCRAM-SHA-512-PLUS', 'tls-server-end-point', { plus: true, header: 'p=tls-server-end-point,,' }],
  ] as const)('by %s, bound to %s', async (mechanism, type, options) => {
    const hash = /SHA-\d+/.exec(mechanism)?.[0] as 'SHA-1';
    const bindingData = type === 'tls-exporter' ? exporter() : type === 'nothing' ? undefined : endPoint();
    expect(conditionOf(await scram(client, { ...right, hash, bindingData, ...options }))).toBe('success');
    expect(await bind()).toMatch(/^juliet@localhost\/./);
  });
});

test('a proof for one connection is worth nothing on another', async () => {
  // what somebody in between would have: the client binds to his connection, not to the server's
  const bindingData = Buffer.from(exporter().map((byte) => byte ^ 255));
  const attempt = { ...right, plus: true, header: 'p=tls-exporter,,', bindingData };
  expect((await scram(client, attempt)).name).toBe('failure');
  expect(server.sessions).toEqual([]);
});

test('after five wrong passwords the connection ends, and another one gets in', async () => {
  for (let i = 0; i < 5; i++) expect(conditionOf(await plain(client, 'juliet', 'guess'))).toBe('not-authorized');
  expect((await client.take(({ name }) => name === 'error')).firstChild?.name).toBe('policy-violation');
  await client.closed;
  const next = server.connect();
  next.open('localhost');
  expect(conditionOf(await plain(next, 'juliet', 'secret'))).toBe('success');
});

describe('with a certificate', () => {
  let juliet: Awaited<ReturnType<typeof clientCertificate>>;

  /** Starts a server that trusts Juliet's certificate, and connects with this one. */
  async function connect(own: { cert: string; key: string } | undefined): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'parley-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const clientAuthorities = join(folder, 'ca.pem');
    await writeFile(clientAuthorities, juliet.cert);
    server = await startServer({
      config: {
        listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [{ host: '127.0.0.1', port: 0 }], http: [] },
        authentication: { mechanisms: ['EXTERNAL', 'PLAIN'] },
        limits: { logins: { delaySeconds: 0 } },
        tls: { clientAuthorities },
      },
    });
    const wire = await socketWire(server.port('c2sTls'));
    await wire.upgrade('localhost', own);
    client = new TestClient(wire);
    client.open('localhost');
  }

  async function external(text: string): Promise<string> {
    sendAuth(client, 'EXTERNAL', text);
    return conditionOf(await answer(client));
  }

  beforeEach(async () => {
    juliet = await clientCertificate(xmppAddress('juliet@localhost'));
  });

  test('that is trusted a client gets in by EXTERNAL', async () => {
    await connect(juliet);
    await server.account('juliet@localhost');
    expect(mechanismsOf(await features(client))).toEqual(['EXTERNAL', 'PLAIN']);
    expect(await external(base64('romeo@localhost'))).toBe('invalid-authzid');
    expect(await external('=')).toBe('success');
    expect(await bind()).toMatch(/^juliet@localhost\/./);
  });

  test('of somebody who has no account, or a disabled one, nobody gets in', async () => {
    await connect(juliet);
    expect(await external('=')).toBe('not-authorized');
    await server.account('juliet@localhost');
    await server.accounts.disable?.(Jid.parse('juliet@localhost'));
    expect(await external('=')).toBe('account-disabled');
  });

  test('that nobody trusts EXTERNAL is not there', async () => {
    await connect(await clientCertificate(xmppAddress('juliet@localhost')));
    await server.account('juliet@localhost');
    expect(mechanismsOf(await features(client))).toEqual(['PLAIN']);
    expect(await external('=')).toBe('invalid-mechanism');
    expect(conditionOf(await plain(client, 'juliet', 'secret'))).toBe('success');
  });

  test('left at home EXTERNAL is not there', async () => {
    await connect(undefined);
    expect(mechanismsOf(await features(client))).toEqual(['PLAIN']);
  });
});
