import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, plainName, xmppAddress } from '@parley/server/stream/testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { personDn } from '../services/slapd-files.ts';
import { TestClient } from '../support/client.ts';
import { answer, conditionOf, features, mechanismsOf, sendAuth } from '../support/login.ts';
import type { TestServer } from '../support/server.ts';
import { socketWire } from '../support/wires.ts';
import { startDirectoryServer } from './server.ts';

let slapd: Slapd;
let authority: CertificateAuthority;
let file: string;

beforeAll(async () => {
  slapd = await Slapd.startLasting();
  authority = await CertificateAuthority.make();
  const folder = await mkdtemp(join(tmpdir(), 'parley-'));
  file = join(folder, 'authority.pem');
  await writeFile(file, authority.cert);
  return () => rm(folder, { recursive: true });
});
afterAll(() => slapd.end());

const start = (tls: object = {}) =>
  startDirectoryServer(slapd, {
    config: {
      listen: { c2s: [], c2sTls: [{ host: '127.0.0.1', port: 0 }], http: [] },
      authentication: { mechanisms: ['EXTERNAL', 'PLAIN'] },
      tls: { clientAuthorities: file, ...tls },
    } as never,
  });

type Own = { cert: string; key: string };

async function connect(server: TestServer, own: Own): Promise<TestClient> {
  const wire = await socketWire(server.port('c2sTls'));
  await wire.upgrade('localhost', own);
  const client = new TestClient(wire);
  onTestFinished(() => client.break());
  client.open('localhost');
  return client;
}

async function external(server: TestServer, own: Own): Promise<string> {
  const client = await connect(server, own);
  sendAuth(client, 'EXTERNAL', '=');
  return conditionOf(await answer(client));
}

test('people of the directory log in by certificates that name their address, or their mail address', async () => {
  const server = await start();
  const romeo = await authority.issue(xmppAddress('romeo@localhost'));
  expect(mechanismsOf(await features(await connect(server, romeo)))).toEqual(['EXTERNAL', 'PLAIN']);
  expect(await external(server, romeo)).toBe('success');
  expect(await external(server, await authority.issue(plainName(1, 'juliet@localhost')))).toBe('success');
  expect(await external(server, await authority.issue(xmppAddress('rosaline@localhost')))).toBe('not-authorized');
  const strict = await start({ clientMailAddresses: false });
  expect(await external(strict, await authority.issue(plainName(1, 'juliet@localhost')))).toBe('not-authorized');
});

test('the directory has a say in it', async () => {
  const server = await start();
  const tybalt = await authority.issue(xmppAddress('tybalt@localhost'));
  await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: ['000001010000Z'] });
  expect(await external(server, tybalt)).toBe('account-disabled');
});

test('a certificate that is revoked while the server runs is not taken any more', async () => {
  const nurse = await authority.issue(xmppAddress('nurse@localhost'));
  const lists = join(file, '..', 'lists.pem');
  await writeFile(lists, await authority.revoked([]));
  const server = await start({ clientRevocations: lists });
  expect(await external(server, nurse)).toBe('success');
  await writeFile(lists, await authority.revoked([nurse.serial]));
  await server.node.reload(server.node.config);
  expect(await external(server, nurse)).toBe('invalid-mechanism'); // it is not offered
  await writeFile(lists, 'garbage');
  await expect(server.node.reload(server.node.config)).rejects.toThrow(/clientRevocations/);
  expect(await external(server, nurse)).toBe('invalid-mechanism');
});
