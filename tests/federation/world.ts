import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Configuration } from '@parley/server/config/schema';
import { onTestFailed } from 'vitest';
import { TestDns } from '../services/dns.ts';
import { type CertificatePair, DomainCertificates } from '../services/domain-certificates.ts';
import { EJABBERD } from '../services/ejabberd.ts';
import { PeerProcess } from '../services/peer-process.ts';
import { PROSODY } from '../services/prosody.ts';
import type { XmppPeer, XmppPeerOptions } from '../services/xmpp-peer.ts';
import { type Partly, startServer, type TestServer } from '../support/server.ts';

export const MAKES = ['Prosody', 'ejabberd'] as const;
export type Make = (typeof MAKES)[number];

export const OURS = 'montague.lit';

/** Of what others have logged, so much is shown where a test fails. */
const PEER_TEXT = 8000;

const anyPort = [{ host: '127.0.0.1', port: 0 }];

export type PeerOptions = Pick<XmppPeerOptions, 'bidirectional' | 'also' | 'scram' | 'portable'>;

export interface OwnOptions {
  /** What the server shows of itself; a good certificate when left out. */
  readonly certificate?: CertificatePair;
  readonly federation?: Partly<Configuration['federation']>;
  readonly config?: Partly<Configuration>;
  /** Another domain of ours, which shows the same certificate. */
  readonly also?: string;
  /** DNS names the port with TLS from the first byte alone. */
  readonly direct?: boolean;
}

/** A DNS and an authority of the tests, and the servers that use them. */
export class World implements AsyncDisposable {
  readonly dns: TestDns;
  readonly certificates: DomainCertificates;
  /** For files; it goes with this. */
  readonly folder: string;
  readonly #peers: XmppPeer[] = [];
  #own: CertificatePair | undefined;

  private constructor(dns: TestDns) {
    this.dns = dns;
    this.folder = mkdtempSync(join(tmpdir(), 'parley-federation-'));
    this.certificates = DomainCertificates.make(this.folder);
  }

  static async make(): Promise<World> {
    return new World(await TestDns.startLasting());
  }

  /** Another server. Without a good certificate it takes no certificates from others, either. */
  async peer(make: Make, domain: string, good = true, more: PeerOptions = {}): Promise<XmppPeer> {
    const { dns, certificates } = this;
    const { also } = more;
    const others = also === undefined ? [] : [also];
    const certificate = good ? certificates.of(domain, ...others) : certificates.selfSigned(domain);
    const options = { domain, dns, certificate, authority: certificates.authority, secure: good, ...more };
    const peer = await PeerProcess.startLasting(make === 'Prosody' ? PROSODY : EJABBERD, options);
    this.#peers.push(peer);
    if (also !== undefined) dns.serve(also, peer.serverPorts.starttls);
    return peer;
  }

  /** The certificate that this server has where a test says nothing else. */
  get own(): CertificatePair {
    this.#own ??= this.certificates.of(OURS);
    return this.#own;
  }

  /** This server, which others find by DNS. Ends with the test. */
  async server({
    certificate = this.own,
    federation,
    config,
    also,
    direct = false,
  }: OwnOptions = {}): Promise<TestServer> {
    const domains = also === undefined ? [OURS] : [OURS, also];
    const server = await startServer({
      nodes: 1,
      config: {
        // the machine may have much else to do
        limits: { process: { eventLoopDelayMilliseconds: 60_000 } },
        ...config,
        domains: domains.map((name) => ({ name, ...certificate })),
        listen: { c2s: [], c2sTls: [], http: [], s2s: anyPort, s2sTls: anyPort },
        federation: {
          enabled: true,
          authorities: this.certificates.authority,
          dnsServers: [this.dns.address],
          retry: { firstSeconds: 1, maxSeconds: 2 }, // whoever is killed comes back when the machine gets to it
          ...federation,
        },
      },
    });
    onTestFailed(() => {
      for (const peer of this.#peers) process.stderr.write(`${peer.domain} said:\n${peer.said.slice(-PEER_TEXT)}\n`);
    });
    for (const domain of domains) this.dns.serve(domain, server.port(direct ? 's2sTls' : 's2s'));
    if (direct) {
      const { port } = { port: server.port('s2sTls') };
      this.dns.forget(`_xmpp-server._tcp.${OURS}`);
      this.dns.set(`_xmpps-server._tcp.${OURS}`, { srv: [{ target: 'localhost', port }] });
    } else this.dns.forget(`_xmpps-server._tcp.${OURS}`);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) await peer.end();
    await this.dns[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What was logged of an event, without what differs from run to run. */
export const logged = (server: TestServer, event: string) => server.log.filter((line) => line.event === event);
