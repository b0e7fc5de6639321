import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateAuthority, plainName, purposes } from '@parley/server/stream/testing';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CertificatePair } from '../services/domain-certificates.ts';
import type { TestServer } from '../support/server.ts';
import { HostileServer } from './hostile-server.ts';
import { OURS, World } from './world.ts';

const [SERVER, CLIENT] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
const DOMAIN = 'a.lit';

let world: World;
let authority: CertificateAuthority;
beforeAll(async () => {
  world = await World.make();
  authority = await CertificateAuthority.make('An authority with lists');
});
afterAll(() => world[Symbol.asyncDispose]());

const file = (name: string, text: string) => {
  writeFileSync(join(world.folder, name), text);
  return join(world.folder, name);
};

async function issue(name: string, ...uses: string[]): Promise<CertificatePair & { readonly serial: number }> {
  const { cert, key, serial } = await authority.issueWith([purposes(...uses)], plainName(2, DOMAIN));
  return { certificate: file(`${name}.crt`, cert), key: file(`${name}.key`, key), serial };
}

/** Whether somebody who shows this may log in. */
async function offered(server: TestServer, own: CertificatePair): Promise<boolean> {
  const peer = await HostileServer.connect(server.port('s2s'));
  const features = await peer.begin(DOMAIN, OURS, own);
  return features?.child('mechanisms', NS.sasl) !== undefined;
}

it('a server that connects is known by its certificate until that is revoked, whatever it is for', async () => {
  const both = await issue('both', SERVER, CLIENT);
  const servers = await issue('servers', SERVER);
  const other = await issue('other', SERVER);
  const revocations = file('authority.crl', await authority.revoked([]));
  const authorities = file('authority-with-lists.crt', authority.cert);
  const peers = [{ domain: DOMAIN, authorities, revocations }];
  const server = await world.server({ federation: { peers } });
  for (const own of [both, servers, other]) expect(await offered(server, own)).toBe(true);

  file('authority.crl', await authority.revoked([both.serial, servers.serial]));
  await server.node.reload(server.node.config);
  expect(await offered(server, both)).toBe(false);
  expect(await offered(server, servers)).toBe(false);
  expect(await offered(server, other)).toBe(true);

  // nobody knows any more what was revoked
  file('authority.crl', await authority.revoked([], Date.now() - 1000));
  await server.node.reload(server.node.config);
  expect(await offered(server, other)).toBe(false);
});

it('a file that holds no list is refused, and what was read before stays', async () => {
  const own = await issue('good', SERVER);
  const revocations = file('kept.crl', await authority.revoked([]));
  const authorities = file('authority-with-lists.crt', authority.cert);
  const server = await world.server({ federation: { authorities, revocations } });
  file('kept.crl', authority.cert);
  await expect(server.node.reload(server.node.config)).rejects.toThrow('holds no revocation list');
  expect(await offered(server, own)).toBe(true);
});
