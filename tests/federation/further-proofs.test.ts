import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { CertificateRecord } from '../services/dns.ts';
import type { CertificatePair } from '../services/domain-certificates.ts';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';
import type { TestServer } from '../support/server.ts';
import { HostileServer } from './hostile-server.ts';
import { logged, MAKES, OURS, type OwnOptions, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.make();
});
afterAll(() => world[Symbol.asyncDispose]());

const ROMEO = `romeo@${OURS}`;
const message = (to: string, text: string) => `<message type='chat' to='${to}'><body>${text}</body></message>`;

const read = ({ certificate }: CertificatePair) => new X509Certificate(readFileSync(certificate));
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();

/** DANE-EE by the key, as most zones have it. */
const record = (pair: CertificatePair): CertificateRecord => ({
  usage: 3,
  selector: 1,
  matching: 1,
  data: sha256(read(pair).publicKey.export({ type: 'spki', format: 'der' })),
});

/** Has DNS name certificates for a server. */
function name(domain: string, port: number, tlsa: readonly CertificateRecord[], secure = true): void {
  world.dns.set(`_xmpp-server._tcp.${domain}`, { srv: [{ target: 'localhost', port }], secure });
  world.dns.set('localhost', { addresses: ['127.0.0.1'], secure });
  world.dns.set(`_${port}._tcp.localhost`, { tlsa, secure });
}

/** A web server of the tests, which has a POSH file for a certificate. */
async function web(fingerprints: readonly CertificatePair[], answer?: string): Promise<string> {
  const { certificate, key } = world.certificates.of('localhost');
  const body = JSON.stringify({
    fingerprints: fingerprints.map((each) => ({ 'sha-256': sha256(read(each).raw).toString('base64') })),
    expires: 60,
  });
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_, response) => {
    response.end(answer ?? body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}/posh.json`;
}

const dane = () => ({ dane: true, dnssec: { servers: [world.dns.address] } });

/** What is told of an attempt to reach a domain. */
async function explained(server: TestServer, domain: string): Promise<string> {
  const lines: string[] = [];
  const tell = (line: string) => void lines.push(line);
  const stream = await server.node.federation.tryOut(OURS, domain, tell).catch((error: Error) => {
    lines.push(error.message);
    return undefined;
  });
  stream?.close('it works');
  return lines.join('\n');
}

describe.each(MAKES)('%s with a certificate that nobody vouches for', (make) => {
  const domain = `${make.toLowerCase()}.lit`;
  let peer: XmppPeer;
  let own: CertificatePair;
  beforeAll(async () => {
    peer = await world.peer(make, domain, false);
    own = peer.certificate;
  });

  /** Says something there and back. */
  async function talk(options: OwnOptions, by: string): Promise<TestServer> {
    const server = await world.server(options);
    const romeo = await server.online(`${ROMEO}/here`);
    const juliet = await clientOf(peer, 'juliet');
    juliet.send(message(ROMEO, 'Hi'));
    expect((await romeo.nextMessage(juliet.jid)).childText('body')).toBe('Hi');
    romeo.send(message(juliet.jid, 'back'));
    expect((await juliet.nextMessage(`${ROMEO}/here`)).childText('body')).toBe('back');
    for (const accepted of logged(server, 's2s.accepted'))
      expect(accepted).toMatchObject({ remote: domain, mechanism: by });
    for (const connected of logged(server, 's2s.connected'))
      expect(connected).toMatchObject({ remote: domain, tookThemBy: by });
    expect(logged(server, 's2s.connected')).not.toEqual([]);
    return server;
  }

  it('proves itself by DANE in both directions', async () => {
    name(domain, peer.serverPorts.starttls, [record(own)]);
    const server = await talk({ federation: dane() }, 'dane');
    const told = await explained(server, domain);
    expect(told).toContain(`SRV of _xmpp-server._tcp.${domain}: localhost`);
    expect(told).toContain('TLSA 3 1 1, secure by DNSSEC; 1 of 1 can be used');
    expect(told).toContain('certificate: secure DNS names its certificate (TLSA 3 1 1 of localhost)');
  });

  it('does not where the answers are not secure', async () => {
    name(domain, peer.serverPorts.starttls, [record(own)], false);
    const server = await world.server({ federation: dane() });
    const told = await explained(server, domain);
    expect(told).toContain('not secure');
    expect(told).toContain(`It cannot prove that it is ${domain}: its certificate is signed by itself.`);
    expect(logged(server, 's2s.accepted')).toEqual([]);
  });

  it('proves itself by POSH in both directions', async () => {
    const peers = [{ domain, poshUrl: await web([own]) }];
    const server = await talk({ federation: { posh: true, peers } }, 'posh');
    const told = await explained(server, domain);
    expect(told).toMatch(/POSH: asking 127\.0\.0\.1 for https:\/\/localhost:[0-9]+\/posh\.json/);
    expect(told).toContain('certificate: the POSH file of its domain names its certificate');
  });

  it('does not where the file names another certificate, or leads to a private network', async () => {
    const other = world.certificates.selfSigned('other.lit');
    const reference = JSON.stringify({ url: 'https://localhost/posh.json', expires: 60 });
    for (const [poshUrl, words] of [
      [await web([other]), 'and its POSH file does not name it'],
      [await web([], reference), 'localhost has no address of the public internet'],
      [await web([], 'x'.repeat(1_000_000)), 'it is larger than 65536 bytes'],
    ] as const) {
      const server = await world.server({ federation: { posh: true, peers: [{ domain, poshUrl }] } });
      expect(await explained(server, domain)).toContain(words);
    }
  });
});

describe('where secure DNS names another certificate', () => {
  const domain = 'named.lit';

  it('that of an authority is not enough, nor is dialback, for a server that we connect to', async () => {
    const peer = await world.peer('Prosody', domain);
    const server = await world.server({ federation: { ...dane(), default: 'certificate-or-dialback' } });
    name(domain, peer.serverPorts.starttls, [record(peer.certificate)]);
    expect(await explained(server, domain)).toContain('secure DNS names its certificate');
    name(domain, peer.serverPorts.starttls, [record(world.certificates.selfSigned('other.lit'))]);
    const told = await explained(server, domain);
    expect(told).toContain(`It cannot prove that it is ${domain}: secure DNS names other certificates for localhost.`);
    const romeo = await server.online(`${ROMEO}/here`);
    romeo.send(message(`juliet@${domain}`, 'Hi'));
    const refused = await romeo.nextMessage(`juliet@${domain}`);
    expect(refused.child('error')?.elements[0]?.name).toBe('remote-server-not-found');
  });

  it('nor is it for one that connects', async () => {
    const good = world.certificates.of('who.lit');
    const offered = async (named: CertificatePair) => {
      name('who.lit', 5269, [record(named)]);
      const server = await world.server({ federation: dane() });
      const hostile = await HostileServer.connect(server.port('s2s'));
      const features = await hostile.begin('who.lit', OURS, good);
      const words = 'secure DNS names other certificates for localhost';
      const unproved = named === good ? [] : [{ remote: 'who.lit', reason: words }];
      expect(logged(server, 's2s.unproved')).toMatchObject(unproved);
      return features?.child('mechanisms', NS.sasl) !== undefined;
    };
    expect(await offered(good)).toBe(true);
    expect(await offered(world.certificates.selfSigned('who.lit'))).toBe(false);
  });
});
