import type { X509Certificate } from 'node:crypto';
import { FewAtATime } from '../few-at-a-time.ts';
import type { PeerCertificate } from '../net/transport.ts';
import type { Authorities } from './authorities.ts';
import { type CertificateVerdict, certificateVerdict, faultWords } from './certificate-verdict.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { incomingFault } from './incoming-fault.ts';
import type { PeerPolicy } from './policy.ts';
import { type Posh, PoshFailure } from './posh.ts';
import type { Resolver, Target } from './resolver.ts';
import type { Tell } from './story.ts';
import { matchingRecord, type TlsaRecord, type TlsaSubject, tlsaWords } from './tlsa.ts';
import { vouchedNames } from './vouched-names.ts';

export interface PeerTrustOptions {
  readonly policy: (domain: string) => PeerPolicy;
  readonly authorities: () => Authorities;
  readonly resolver: Pick<Resolver, 'targets'>;
  readonly posh: Pick<Posh, 'names'>;
}

/** What secure DNS names for hosts. */
interface Named {
  readonly hosts: readonly { readonly host: string; readonly tlsa: readonly TlsaRecord[] }[];
  /** Nobody of the domain may show anything else. */
  readonly all: boolean;
}

/** Whoever connects can have anything looked up, before it has proved anything: so many at a time, and so many wait. */
const LOOKED_UP = 20;
const MOST_WAITING = 500;

const fewAtATime = () =>
  new FewAtATime({
    most: () => LOOKED_UP,
    mostWaiting: MOST_WAITING,
    full: () => new ConnectionFailure('dns', 'Too many servers are being looked up.', { timeout: true }),
  });

/**
 * Whether what another server has shown proves that it speaks for a domain: by those who vouch for certificates, by TLSA records
 * (DANE, RFC 7671 and 7673), or by a file on the web server of the domain (POSH, RFC 7711).
 */
export class PeerTrust {
  readonly #options: PeerTrustOptions;
  readonly #strangers = fewAtATime();
  /** Those that the configuration names wait for no stranger. */
  readonly #configured = fewAtATime();

  constructor(options: PeerTrustOptions) {
    this.#options = options;
  }

  /** Of a server that we have connected to, at the place that DNS named. `shown`: undefined without encryption. */
  async ofServer(
    shown: PeerCertificate | undefined,
    domain: string,
    { host, tlsa }: Target,
    tell: Tell,
  ): Promise<CertificateVerdict> {
    const policy = this.#options.policy(domain);
    const named = tlsa === undefined ? undefined : { hosts: [{ host, tlsa }], all: true };
    if (shown === undefined) {
      const { words } = await certificateVerdict(undefined, undefined, domain);
      // RFC 7673 §3.3: where secure DNS names a certificate, there is no way without one
      return named === undefined ? { good: false, words } : { good: false, words, final: true };
    }
    return await this.#judge(shown.certificate, shown.fault, domain, policy, named, tell);
  }

  /** Of somebody who has connected to us. */
  async ofClient(shown: PeerCertificate | undefined, domain: string): Promise<CertificateVerdict> {
    if (shown === undefined) return certificateVerdict(undefined, undefined, domain);
    const policy = this.#options.policy(domain);
    const fault = await incomingFault(shown, this.#options.authorities(), policy);
    const judge = (named?: Named) => this.#judge(shown.certificate, fault, domain, policy, named, () => {});
    if (!policy.dane && policy.posh === undefined) return await judge();
    try {
      const turns = policy.entry === undefined ? this.#strangers : this.#configured;
      return await turns.run(async () => judge(policy.dane ? await this.#named(domain, policy) : undefined));
    } catch (error) {
      if (!(error instanceof ConnectionFailure)) throw error;
      // whoever can suppress an answer is not to have another certificate believed
      return { good: false, words: `it cannot be found out which certificates DNS names for it: ${error.message}` };
    }
  }

  /**
   * What secure DNS names for the servers of a domain, which show the same when they connect to others. Whoever connects may be
   * any of them, also one for which it names nothing.
   */
  async #named(domain: string, policy: PeerPolicy): Promise<Named | undefined> {
    let targets: readonly Target[];
    try {
      targets = await this.#options.resolver.targets(domain, policy);
    } catch (error) {
      if (error instanceof ConnectionFailure && error.lasting) return undefined; // DNS says that there are none
      throw error;
    }
    // each address of a host has the same list
    const hosts = new Map<readonly TlsaRecord[], Named['hosts'][number]>();
    for (const { host, tlsa } of targets) if (tlsa !== undefined) hosts.set(tlsa, { host, tlsa });
    return { hosts: [...hosts.values()], all: hosts.size > 0 && targets.every(({ tlsa }) => tlsa !== undefined) };
  }

  async #judge(
    certificate: X509Certificate,
    fault: string | undefined,
    domain: string,
    policy: PeerPolicy,
    named: Named | undefined,
    tell: Tell,
  ): Promise<CertificateVerdict> {
    // what the operator has a list of is revoked, whoever else says what
    if (fault === 'CERT_REVOKED') return { good: false, words: faultWords(fault) };
    const roots = () => this.#options.authorities().roots(policy.authorities);
    const dane = named && (await byDane(named, { certificate, fault, domain, roots }));
    if (dane !== undefined) return dane;
    const names = fault === undefined ? await vouchedNames(certificate, roots) : [];
    const usual = await certificateVerdict(certificate.raw, fault, domain, names);
    if (usual.good || policy.posh === undefined) return usual;
    tell(`certificate: ${usual.words}; asking its web server (POSH)`);
    return await this.#byPosh(certificate, policy, usual, tell);
  }

  async #byPosh(
    certificate: X509Certificate,
    policy: PeerPolicy,
    usual: CertificateVerdict,
    tell: Tell,
  ): Promise<CertificateVerdict> {
    const now = Date.now();
    if (+certificate.validFromDate > now || now > +certificate.validToDate) return usual;
    try {
      if (await this.#options.posh.names(certificate, policy, tell)) {
        return { good: true, words: 'the POSH file of its domain names its certificate', by: 'posh' };
      }
      return { good: false, words: `${usual.words}, and its POSH file does not name it` };
    } catch (error) {
      if (!(error instanceof PoshFailure)) throw error;
      return { good: false, words: `${usual.words}, and ${error.message}` };
    }
  }
}

async function byDane(
  { hosts, all }: Named,
  about: Omit<TlsaSubject, 'hosts'>,
): Promise<CertificateVerdict | undefined> {
  for (const { host, tlsa } of hosts) {
    const record = await matchingRecord(tlsa, { ...about, hosts: [host] });
    if (record === undefined) continue;
    return { good: true, words: `secure DNS names its certificate (${tlsaWords(record)} of ${host})`, by: 'dane' };
  }
  if (!all) return undefined;
  // RFC 7673 §4: nobody else may vouch for it then
  const list = hosts.map(({ host }) => host).join(', ');
  return { good: false, words: `secure DNS names other certificates for ${list}`, final: true };
}
