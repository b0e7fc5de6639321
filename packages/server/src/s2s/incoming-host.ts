import type { Metrics } from '@parley/metrics/registry';
import type { Stanza } from '@parley/xmpp/stanza';
import type { FederationConfiguration } from '../config/federation.ts';
import type { Log } from '../log.ts';
import type { PeerCertificate } from '../net/transport.ts';
import type { Awaitable } from '../pipeline.ts';
import type { CertificateVerdict } from './certificate-verdict.ts';
import type { DialbackKey, KeyVerifier } from './dialback-key.ts';
import type { PeerRows } from './peer-rows.ts';
import type { PeerPolicy } from './policy.ts';
import type { RememberedStreams } from './remembered-streams.ts';
import type { ReturnWays } from './return-ways.ts';

/** What incoming streams need of the node. */
export interface IncomingHost {
  readonly config: () => FederationConfiguration;
  readonly policy: (domain: string) => PeerPolicy;
  /** Whether what somebody has shown, if they have, proves that they speak for a domain. */
  readonly judge: (shown: PeerCertificate | undefined, domain: string) => Promise<CertificateVerdict>;
  readonly dialbackKey: DialbackKey;
  readonly verifier: KeyVerifier;
  readonly remembered: RememberedStreams;
  readonly returnWays: ReturnWays;
  readonly metrics: Metrics;
  readonly peerRows: PeerRows;
  readonly log: Log;
  /** Whether a domain is one of ours. */
  serves(domain: string): boolean;
  /** Takes a stanza that a domain may send, for one of ours. Never throws, nor rejects: what goes wrong is answered. */
  process(stanza: Stanza, domain: string): Awaitable<unknown>;
  /** Answers a stanza that may not be processed. */
  refuse(stanza: Stanza, error: unknown): Awaitable<unknown>;
}
