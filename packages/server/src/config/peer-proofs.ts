import type { FederationConfiguration, PeerConfiguration } from './federation.ts';

interface Parts {
  readonly federation?: Partial<FederationConfiguration> | undefined;
}

interface PeerProofProblem {
  readonly path: PropertyKey[];
  /** What is wrong, a colon, what to write instead. */
  readonly message: string;
}

/** 127.0.0.0/8 and ::1, with a port or without. */
const LOOPBACK = /^(?:127(?:\.[0-9]{1,3}){3}(?::[0-9]+)?|::1|\[::1\](?::[0-9]+)?)$/;

const listOf = <T>(value: readonly T[] | undefined): readonly T[] => (Array.isArray(value) ? value : []);

/** What is wrong between the ways in which other servers may prove themselves. Any part may be missing. */
export function peerProofProblems({ federation = {} }: Parts): PeerProofProblem[] {
  const problems: PeerProofProblem[] = [];
  const report = (path: PropertyKey[], message: string) => problems.push({ path: ['federation', ...path], message });
  const { dane, dnssec, authorities, revocations } = federation;
  const peers = [...listOf(federation.peers).entries()].filter(([, peer]) => typeof peer === 'object') as [
    number,
    Partial<PeerConfiguration>,
  ][];
  const servers = listOf(dnssec?.servers);
  if (servers.length === 0 && (dane || peers.some(([, peer]) => peer.dane))) {
    report(
      ['dnssec', 'servers'],
      'is empty, and `dane` needs it: name a DNS server on this machine that checks the signatures of DNSSEC',
    );
  }
  if (!dnssec?.trustNetwork) {
    for (const [index, server] of servers.entries()) {
      if (typeof server !== 'string' || LOOPBACK.test(server)) continue;
      report(
        ['dnssec', 'servers', index],
        'is on another machine, and whoever is on the way can forge what it says: name one on 127.0.0.1 or ::1, or set `trustNetwork` where nobody is',
      );
    }
  }
  const useless = 'is of no use without `authorities`: name those whose lists they are';
  if (revocations !== undefined && authorities === undefined) report(['revocations'], useless);
  for (const [index, peer] of peers) {
    if (peer.revocations !== undefined && peer.authorities === undefined) {
      report(['peers', index, 'revocations'], useless);
    }
  }
  return problems;
}
