import { domainToASCII } from 'node:url';
import type { StanzaKind } from '@parley/xmpp/stanza';
import type {
  FederationConfiguration,
  PEER_AUTHENTICATIONS,
  PEER_TLS,
  PeerConfiguration,
} from '../config/federation.ts';

export type PeerAuthentication = (typeof PEER_AUTHENTICATIONS)[number];
export type PeerTls = (typeof PEER_TLS)[number];

/** What holds between this server and another domain, all defaults filled in. */
export interface PeerPolicy {
  /** False: nothing is said to it and nothing taken from it; DNS is not even asked. */
  readonly allow: boolean;
  /** The entry of `federation.peers` that says so, by its domain; undefined where none does. */
  readonly entry: string | undefined;
  readonly authentication: PeerAuthentication;
  readonly minTls: PeerTls;
  /** A file (PEM) with those who vouch for it; undefined: those that the machine trusts. */
  readonly authorities: string | undefined;
  /** A file (PEM) with what these have revoked. */
  readonly revocations: string | undefined;
  /** Its TLSA records count, where DNSSEC secures them. */
  readonly dane: boolean;
  /** Where its POSH file is; undefined where none counts. */
  readonly posh: { readonly url: string; readonly named: boolean } | undefined;
  /** Where to connect instead of where DNS says. */
  readonly connectTo: { readonly host: string; readonly port: number; readonly tls: 'direct' | 'starttls' } | undefined;
  /** Whether stanzas may go both ways on one stream (XEP-0288): where the other side asks for it, or we, too. */
  readonly bidirectional: 'never' | 'accept' | 'ask';
  /** One stream for several pairs of domains, where that is safe. */
  readonly shareStreams: boolean;
  readonly stanzas: ReadonlySet<StanzaKind>;
  readonly stripPresence: boolean;
  readonly maxStanzaBytes: number;
  readonly bytesPerSecond: number;
}

const ALL: ReadonlySet<StanzaKind> = new Set(['message', 'presence', 'iq']);

/** What holds for a domain, which is prepared as those of addresses are. Made anew each time: a reload changes it. */
export function peerPolicy(config: FederationConfiguration, domain: string): PeerPolicy {
  const entry = entryFor(config.peers, domain);
  const { limits } = config;
  return {
    allow: entry === undefined ? config.default !== 'deny' : entry.allow,
    entry: entry?.domain,
    authentication: entry?.authentication ?? (config.default === 'deny' ? 'certificate' : config.default),
    minTls: entry?.minTls ?? config.minTls,
    authorities: entry?.authorities ?? config.authorities,
    // the lists of some authorities say nothing about others
    revocations: entry?.authorities === undefined ? config.revocations : entry.revocations,
    dane: entry?.dane ?? config.dane,
    posh: (entry?.posh ?? config.posh) ? posh(domain, entry?.poshUrl) : undefined,
    connectTo: entry?.connectTo === undefined ? undefined : place(entry.connectTo, entry.connectToTls),
    bidirectional: bidirectional(entry?.bidirectional, config.bidirectional),
    shareStreams: entry?.shareStreams ?? config.shareStreams,
    stanzas: entry?.stanzas === undefined ? ALL : new Set(entry.stanzas),
    stripPresence: entry?.stripPresence ?? false,
    maxStanzaBytes: entry?.maxStanzaBytes ?? limits.maxStanzaBytes,
    bytesPerSecond: entry?.bytesPerSecond ?? limits.bytesPerSecond,
  };
}

function bidirectional(ofEntry: boolean | undefined, accepted: boolean): PeerPolicy['bidirectional'] {
  if (ofEntry === true) return 'ask';
  return accepted && ofEntry === undefined ? 'accept' : 'never';
}

/** The domain itself, else the longest `*.` that it stands below. */
function entryFor(peers: readonly PeerConfiguration[], domain: string): PeerConfiguration | undefined {
  let best: PeerConfiguration | undefined;
  for (const peer of peers) {
    if (peer.domain === domain) return peer;
    const below = peer.domain.startsWith('*.') && domain.endsWith(peer.domain.slice(1));
    if (below && peer.domain.length > (best?.domain.length ?? 0)) best = peer;
  }
  return best;
}

/** RFC 7711 §3; `named`: the operator of this server says so. */
const posh = (domain: string, url: string | undefined): PeerPolicy['posh'] => ({
  url: url ?? `https://${domainToASCII(domain)}/.well-known/posh/xmpp-server.json`,
  named: url !== undefined,
});

function place(text: string, direct: boolean): NonNullable<PeerPolicy['connectTo']> {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(text.slice(colon + 1)), tls: direct ? 'direct' : 'starttls' };
}

/** Whether a TLS version as Node names it is as new as the policy asks; undefined where there is no TLS. */
export function tlsSuffices(policy: PeerPolicy, protocol: string | undefined): boolean {
  if (policy.minTls === 'none') return true;
  return protocol === 'TLSv1.3' || (protocol === 'TLSv1.2' && policy.minTls === 'TLSv1.2');
}
