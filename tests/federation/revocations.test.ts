import { execFileSync } from 'node:child_process';
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

it('the lists that openssl makes, with a key of another kind', async () => {
  const folder = world.folder;
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  file('index.txt', '');
  file('number', '01\n');
  file(
    'ca.cnf',
    '[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=number\ncrlnumber=number\nnew_certs_dir=.\npolicy=any\ndefault_md=sha256\n' +
      'default_days=5\ndefault_crl_days=5\n[any]\ncommonName=supplied\n',
  );
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'rsa.key', '-out', 'rsa.crt', '-subj', '/CN=RSA', '-days', '5');
  file('rsa.ext', `subjectAltName=DNS:${DOMAIN}\nextendedKeyUsage=serverAuth\n`);
  const authority = ['ca', '-batch', '-config', 'ca.cnf', '-cert', 'rsa.crt', '-keyfile', 'rsa.key'];
  const certify = (name: string) => {
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    openssl(...authority, '-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', 'rsa.ext', '-notext');
    return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  };
  const [kept, taken] = [certify('kept'), certify('taken')];
  openssl(...authority, '-revoke', 'taken.crt', '-crl_reason', 'keyCompromise');
  openssl(...authority, '-gencrl', '-out', 'rsa.crl');
  const federation = { authorities: join(folder, 'rsa.crt'), revocations: join(folder, 'rsa.crl') };
  const server = await world.server({ federation });
  expect(await offered(server, kept)).toBe(true);
  expect(await offered(server, taken)).toBe(false);
});
