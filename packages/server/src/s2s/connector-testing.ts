/** Streams that we begin, for tests: to a fake peer, as local.example to remote.example. */
import { Registry } from '@parley/metrics/registry';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import type { XmlLimits } from '@parley/xmpp/xml-limits';
import { expect, onTestFinished, vi } from 'vitest';
import { federation } from '../config/federation.ts';
import { peerContext } from '../net/peer-connection.ts';
import { CertificateAuthority, clientCertificate, plainName } from '../stream/testing.ts';
import type { BackTrafficHost } from './back-traffic.ts';
import { certificateVerdict } from './certificate-verdict.ts';
import { Connector, type ConnectorSettings } from './connector.ts';
import { dialbackKeys } from './dialback-key.ts';
import { EXTERNAL, type FakeConnection } from './fake-peer.ts';
import { PeerRows } from './peer-rows.ts';
import { peerPolicy } from './policy.ts';
import { Resolver } from './resolver.ts';

export const LOCAL = 'local.example';
export const REMOTE = 'remote.example';
const DNS_NAME = 2;

/** Milliseconds for whatever the other side is to do: none of it takes that long, however slow the machine is. */
export const LONG = 120_000;

const SETTINGS: ConnectorSettings = {
  limits: { maxBytes: 10_000, maxElements: 32, maxDepth: 8, maxAttributes: 16, maxNameLength: 1024 },
  connectMs: LONG,
  stepMs: LONG,
  negotiationMs: LONG,
  acknowledgeMs: LONG,
  closeMs: 2000,
  connecting: 5,
};
const AFTER: XmlLimits = { maxBytes: 50_000, maxElements: 200, maxDepth: 20, maxAttributes: 50, maxNameLength: 1024 };

export const dialbackKey = dialbackKeys('secret');

interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** Certificates of both sides, and connectors that use them. */
export class ConnectorWorld {
  readonly theirs: Pem;
  /** Of the other side, that nobody vouches for. */
  readonly selfSigned: Pem;
  readonly ours: Pem;
  readonly #authority: string;
  /** Stanzas that came back on streams of ours, and those that were refused. */
  readonly taken: string[] = [];
  process: (stanza: Stanza) => Promise<void> | undefined = () => undefined;

  private constructor(authority: string, ours: Pem, theirs: Pem, selfSigned: Pem) {
    this.#authority = authority;
    this.ours = ours;
    this.theirs = theirs;
    this.selfSigned = selfSigned;
  }

  static async make(): Promise<ConnectorWorld> {
    const authority = await CertificateAuthority.make();
    const issue = (...domains: string[]) => authority.issue(...domains.map((domain) => plainName(DNS_NAME, domain)));
    const selfSigned = await clientCertificate(plainName(DNS_NAME, REMOTE));
    return new ConnectorWorld(authority.cert, await issue(LOCAL), await issue(REMOTE, `*.${REMOTE}`), selfSigned);
  }

  /** Finds the peer at a port of this machine; `peer` is more of its policy. */
  connector(port: number, peer: object = {}, settings: Partial<ConnectorSettings> = {}): Connector {
    return this.connectorFor([{ domain: REMOTE, connectTo: `127.0.0.1:${port}`, ...peer }], settings);
  }

  connectorFor(peers: readonly object[], settings: Partial<ConnectorSettings> = {}): Connector {
    const config = federation.parse({ peers });
    const { metrics } = new Registry();
    const taking: BackTrafficHost = {
      policy: (remote) => peerPolicy(config, remote),
      metrics,
      peerRows: new PeerRows({ metrics, isNamed: () => false, look() {} }),
      serves: (domain) => domain === LOCAL,
      dialbackKey,
      process: (stanza) => {
        this.taken.push(stanza.toString());
        return this.process(stanza);
      },
      refuse: (stanza, error) => this.taken.push(`refused ${stanza.id}: ${(error as Error).message}`),
    };
    return new Connector({
      settings: () => ({ ...SETTINGS, ...settings }),
      policy: (remote) => peerPolicy(config, remote),
      resolver: new Resolver(() => ({ servers: [], timeoutMs: LONG })),
      dialbackKey,
      judge: (tls, remote) => certificateVerdict(tls?.certificate?.raw, tls?.fault, remote),
      context: () =>
        peerContext({
          own: { certificate: this.ours.cert, key: this.ours.key },
          authorities: this.#authority,
          minVersion: 'TLSv1.2',
          ciphers: 'DEFAULT',
        }),
      admission: () => ({ limits: AFTER, rate: () => ({ perSecond: 1_000_000, burst: 1_000_000 }) }),
      taking: () => taking,
    });
  }
}

/** Time stands still, and passes when the test says so. Answers how often something has begun to wait for so long. */
export function holdTime(): (ms: number) => number {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const held = globalThis.setTimeout;
  const begun: unknown[] = [];
  const noting = (...wait: Parameters<typeof held>) => {
    begun.push(wait[1]);
    return held(...wait);
  };
  globalThis.setTimeout = Object.assign(noting, held);
  onTestFinished(() => {
    globalThis.setTimeout = held;
    vi.useRealTimers();
  });
  return (ms) => begun.filter((each) => each === ms).length;
}

/** The fake's side of SASL EXTERNAL. */
export async function external(connection: FakeConnection, features = '', before = ''): Promise<void> {
  await connection.begin(EXTERNAL + before);
  const [, identity = ''] = await connection.until(/<auth [^>]*mechanism='EXTERNAL'[^>]*>([^<]*)<\/auth>/);
  expect(Buffer.from(identity, 'base64').toString()).toBe(LOCAL);
  connection.send(`<success xmlns='${NS.sasl}'/>`);
  await connection.begin(features);
}
