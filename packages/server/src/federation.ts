import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Metrics } from '@parley/metrics/registry';
import { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { peerAuthorities } from './certificates.ts';
import type { Configuration } from './config/schema.ts';
import { admission, connectorSettings, routingSettings } from './federation-settings.ts';
import { IncomingServers, type IncomingServersOptions } from './incoming-servers.ts';
import { type PeerContext, type PeerProof, peerContext } from './net/peer-connection.ts';
import type { CertificateFiles } from './net/secure-context.ts';
import type { PeerCertificate } from './net/transport.ts';
import type { Peers } from './peers.ts';
import type { Awaitable } from './pipeline.ts';
import { Authorities } from './s2s/authorities.ts';
import type { CertificateVerdict } from './s2s/certificate-verdict.ts';
import { ConnectionFailure } from './s2s/connection-failure.ts';
import { Connector } from './s2s/connector.ts';
import { dialbackKeys } from './s2s/dialback-key.ts';
import { KeyQuestions } from './s2s/key-questions.ts';
import type { EstablishedStream } from './s2s/outgoing-stream.ts';
import { PeerRows, type PeerRowsHost } from './s2s/peer-rows.ts';
import { PeerTrust } from './s2s/peer-trust.ts';
import { Policies } from './s2s/policies.ts';
import type { PeerPolicy } from './s2s/policy.ts';
import { Posh } from './s2s/posh.ts';
import type { QueueNodes, QueueSessionsHost } from './s2s/queue-sessions.ts';
import { RememberedStreams } from './s2s/remembered-streams.ts';
import { RemoteRouting } from './s2s/remote-routing.ts';
import { Resolver } from './s2s/resolver.ts';
import { ReturnWays } from './s2s/return-ways.ts';
import { Sharing } from './s2s/sharing.ts';
import { stanzaCounters } from './s2s/stanza-counters.ts';
import type { Tell } from './s2s/story.ts';
import { nextAttempt } from './session/attempts.ts';
import type { Journal } from './session/journal.ts';
import { decodeOffer, OFFERED } from './session/offer.ts';
import { Stream } from './stream/stream.ts';
import type { Doors } from './stream-listeners.ts';

export interface FederationOptions
  extends Omit<
      IncomingServersOptions,
      'policy' | 'judge' | 'dialbackKey' | 'verifier' | 'returnWays' | 'remembered' | 'peerRows'
    >,
    Pick<QueueSessionsHost, 'sessions' | 'store' | 'onFault'> {
  readonly secret: (purpose: string) => Buffer;
  readonly keyspace: Keyspace;
  readonly journal: Journal;
  readonly peers: Peers;
  /** The other nodes; undefined where there never are any. */
  readonly cluster: QueueNodes | undefined;
}

/** Nodes tell each other by this to connect from one domain to another one. */
const CONNECT = 's2s.connect';

/** When the server stops. */
const LONGEST_SETTLING_MS = 5000;

/** This server among others: whom it talks to, the streams to them, and what is asked of them. */
export class Federation implements Doors {
  readonly routing: RemoteRouting;
  /** Those that connect. */
  readonly servers: IncomingServers;
  /** The same of other nodes. */
  readonly peers: Peers;
  readonly #options: FederationOptions;
  readonly #resolver: Resolver;
  readonly #posh: Posh;
  readonly #connector: Connector;
  readonly #remembered: RememberedStreams;
  readonly #peerRows: PeerRows;
  readonly #sharing: Sharing;
  readonly #returnWays = new ReturnWays((local, remote) => {
    this.routing.onReturnWay(local, remote).catch((error) => this.#options.onFault(error));
  });
  #authorities = new Authorities(new Map(), undefined);
  #certificates: ReadonlyMap<string, CertificateFiles> = new Map();
  #none: Stream | undefined;
  readonly #contexts = new Map<string, PeerContext>();

  constructor(options: FederationOptions) {
    this.#options = options;
    this.peers = options.peers;
    const { config, metrics, router } = options;
    const sent = stanzaCounters(metrics, 'out');
    this.#peerRows = new PeerRows({
      metrics,
      isNamed: (domain) => this.policy(domain).entry === domain,
      look: (count) => this.#look(count),
    });
    this.policy = new Policies(() => config().federation).for;
    const dialbackKey = dialbackKeys(options.secret('dialback'));
    this.#resolver = new Resolver(() => {
      const { dnsServers, dnssec, timeouts } = config().federation;
      return { servers: dnsServers, validating: dnssec.servers, timeoutMs: timeouts.dnsSeconds * 1000 };
    });
    this.#posh = new Posh({
      timeoutMs: () => config().federation.timeouts.poshSeconds * 1000,
      addresses: (host) => this.#resolver.addresses(host),
      trust: (file) => this.#authorities.trust(file),
    });
    const authorities = () => this.#authorities;
    const trust = new PeerTrust({ policy: this.policy, authorities, resolver: this.#resolver, posh: this.#posh });
    this.#connector = new Connector({
      settings: () => connectorSettings(config()),
      policy: this.policy,
      resolver: this.#resolver,
      dialbackKey,
      judge: (tls, remote, target, tell) => trust.ofServer(shownBy(tls), remote, target, tell),
      context: (local, policy) => this.#context(local, policy),
      admission: (policy) => admission(config(), policy),
      taking: () => this.servers.incoming.host,
    });
    this.#sharing = new Sharing({
      policy: this.policy,
      dialbackKey,
      judge: (tls, remote, target) => trust.ofServer(shownBy(tls), remote, target, () => {}),
      targets: (remote, policy) => this.#resolver.targets(remote, policy),
      open: (local, remote, previous) => this.#connector.open(local, remote, 'stanzas', undefined, previous),
      shown: (local) => (this.#certificates.get(local) ?? this.#certificates.get(''))?.certificate,
      most: () => config().federation.limits.domainsPerStream,
    });
    this.routing = new RemoteRouting({
      ...options,
      journal: () => options.journal,
      nodes: options.cluster,
      stream: () => this.#noStream(),
      again: () => nextAttempt(options.keyspace),
      connectElsewhere: (node, ...pair) => options.peers.ask(node, CONNECT, pair.join(' ')),
      route: (stanza) => router().route(stanza),
      settings: () => routingSettings(config()),
      policy: this.policy,
      isOurs: (domain) => router().serves(domain),
      open: (local, remote, previous) => {
        const open = () => this.#open(local, remote, previous);
        const ways = this.#returnWays;
        return previous === undefined ? ways.first(local, remote, open) : ways.fallback(local, remote, open);
      },
      answer: (stanza, error, prepare) => this.#answer(stanza, error, prepare),
      onSent: ({ kind, to }) => {
        sent[kind].increment();
        if (to !== undefined) this.#peerRows.stanza(to.domain, 'out');
      },
      onOpen: (stream) => this.#onOpen(stream),
      onEnd: ({ local, remote, sent }, reason) => options.log.info('s2s.closed', { local, remote, sent, reason }),
      onFailure: (local, remote, failure, retryMs) => this.#onFailure(local, remote, failure, retryMs),
      onLimit: (limit, remote) => {
        metrics.limitsExceeded.with({ limit }).add(1);
        options.log.flood('limit.exceeded', { limit, remote });
      },
    });
    const verifier = new KeyQuestions({
      stream: (local, remote) => {
        const stream = this.routing.stream(local, remote);
        return stream?.kind === 'theirs, both ways' ? undefined : stream; // nobody has looked in DNS for that
      },
      open: (local, remote) => this.#connector.open(local, remote, 'keys'),
    });
    this.#remembered = new RememberedStreams({
      ...options,
      owner: options.store.owner,
      config: () => config().federation.resumption,
      isAlive: (node) => options.cluster?.isAlive(node) === true,
      pending: (work) => options.hooks.pending.add(work),
    });
    options.hooks.events.on('keyspace.changed', () => this.#remembered.storeChanged());
    this.servers = new IncomingServers({
      ...options,
      peerRows: this.#peerRows,
      remembered: this.#remembered,
      policy: this.policy,
      dialbackKey,
      verifier,
      returnWays: this.#returnWays,
      judge: (shown, domain) => this.#judge(trust, shown, domain),
    });
    options.peers.on(CONNECT, (text) => {
      const [local = '', remote = ''] = text.split(' ');
      return this.routing.connectFor(local, remote);
    });
    options.peers.on(OFFERED, (text) => this.routing.sessions.onOffered(decodeOffer(text)));
    this.#measure(metrics);
  }

  /** See `IncomingServers`. */
  get ports(): Doors['ports'] {
    return this.servers.ports;
  }

  /** Accepts, and sends what waits. */
  async open(): Promise<void> {
    await this.servers.open();
    this.routing.start();
  }

  close(): void {
    this.servers.close();
  }

  /** Takes over the queues of nodes that are gone. */
  readonly reap = async (isGone: (owner: string, sid: string) => boolean): Promise<void> => {
    const queues = await this.routing.sessions.reap(isGone);
    if (queues > 0) this.#options.log.info('s2s.restored', { queues });
  };

  #noStream(): Stream {
    this.#none ??= Stream.ended(Jid.of(undefined, 'localhost'), this.servers.incoming.acceptance);
    return this.#none;
  }

  get enabled(): boolean {
    return this.#options.config().federation.enabled;
  }

  /** Of somebody who connects. What was looked up for it is told, since nobody sees it otherwise. */
  async #judge(trust: PeerTrust, shown: PeerCertificate | undefined, remote: string): Promise<CertificateVerdict> {
    const verdict = await trust.ofClient(shown, remote);
    const { dane, posh } = this.policy(remote);
    if (!verdict.good && shown !== undefined && (dane || posh !== undefined)) {
      this.#options.log.flood('s2s.unproved', { remote, reason: verdict.words });
    }
    return verdict;
  }

  /** What holds for a domain, as the configuration says now. */
  readonly policy: (domain: string) => PeerPolicy;

  /** Takes over certificates of ours, and a configuration. Throws a ConfigurationError, and changes nothing, where a file is no good. */
  take(config: Configuration, certificates: ReadonlyMap<string, CertificateFiles>): void {
    const { enabled, authorities } = config.federation;
    const { files, revoked } = peerAuthorities(enabled ? config.federation : undefined);
    this.#authorities = new Authorities(files, authorities, revoked);
    this.#certificates = certificates;
    this.#contexts.clear();
    this.#posh.clear();
    this.#sharing.clear();
    if (enabled) this.servers.take(config, certificates, this.#authorities);
  }

  /** Takes a stanza for another server: see `RemoteRouting`. */
  send(stanza: Stanza): Awaitable<void> {
    if (this.enabled) return this.routing.send(stanza);
    throw closed();
  }

  /** A stream beside those that stanzas go on; DNS and POSH are asked anew. */
  tryOut(local: string, remote: string, tell: Tell): Promise<EstablishedStream> {
    this.#resolver.forget(remote);
    this.#posh.forget(this.policy(remote));
    return this.#connector.open(local, remote, 'trial', tell);
  }

  /** The server is to stop: what has just been sent to those that can be reached has a moment to arrive. */
  settle(ms: number): Promise<void> {
    return this.routing.settle(Math.min(LONGEST_SETTLING_MS, ms));
  }

  /** Closes all streams; first what the end of sessions has brought about has a moment to arrive, too. */
  async stop(): Promise<void> {
    this.servers[Symbol.dispose]();
    this.#remembered[Symbol.dispose]();
    await this.routing.settle(Math.min(LONGEST_SETTLING_MS, this.#options.config().drain.seconds * 1000));
    this.#connector.stop();
    await this.routing.stop();
  }

  async #open(local: string, remote: string, previous: string | undefined): Promise<EstablishedStream> {
    const { federationAttempts } = this.#options.metrics;
    if (!this.enabled) throw new ConnectionFailure('policy', 'Federation is switched off.', { lasting: true });
    try {
      const stream = await this.#sharing.open(local, remote, previous);
      federationAttempts.with({ outcome: 'connected' }).add(1);
      const proof = stream.verdict === 'dns' ? 'dialback' : stream.verdict;
      this.#peerRows.proof(remote, 'out', proof);
      return stream;
    } catch (error) {
      if (error instanceof ConnectionFailure) {
        federationAttempts.with({ outcome: error.step }).add(1);
        this.#peerRows.failed(remote);
        if (error.step === 'certificate') this.#peerRows.proof(remote, 'out', 'refused');
      } else this.#options.log.error('s2s.fault', { error: error as Error, local, remote });
      this.#resolver.forget(remote); // what DNS says now may be better
      throw error;
    }
  }

  #answer(stanza: Stanza, given: unknown, prepare = (answer: Stanza) => answer): Awaitable<void> {
    const { metrics, errorFor, router, hooks } = this.#options;
    const error = this.enabled ? given : closed(); // what it had before is not true any more
    if (error instanceof StanzaError) metrics.federationReturned.with({ condition: error.condition }).add(1);
    const answer = errorFor(stanza, error);
    const routed = answer && router().route(prepare(answer));
    if (routed instanceof Promise) hooks.pending.add(routed);
    return routed;
  }

  #onOpen({ local, remote, address, port, proof, verdict, tls, kind }: EstablishedStream): void {
    const { log } = this.#options;
    const about = { encryption: tls?.protocol ?? 'none', tookUsBy: proof, tookThemBy: verdict, stream: kind };
    log.info('s2s.connected', { local, remote, address, port, ...about });
  }

  #onFailure(local: string, remote: string, failure: ConnectionFailure, retryMs: number): void {
    const { step, message } = failure;
    this.#options.log.flood('s2s.failed', { local, remote, step, message, retrySeconds: Math.round(retryMs / 1000) });
  }

  #context(local: string, policy: PeerPolicy): PeerContext {
    const key = [local, policy.minTls, policy.authorities, policy.revocations].join(' ');
    let context = this.#contexts.get(key);
    if (context === undefined) {
      context = peerContext({
        own: this.#certificates.get(local) ?? this.#certificates.get(''),
        authorities: [...this.#authorities.pem(policy.authorities)],
        revocations: this.#authorities.revoked(policy.revocations),
        minVersion: policy.minTls === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
        ciphers: this.#options.config().tls.ciphers,
      });
      this.#contexts.set(key, context);
    }
    return context;
  }

  /** Tells of all other domains how it is with them. */
  #look(count: Parameters<PeerRowsHost['look']>[0]): void {
    for (const { remote, stream, waiting } of this.routing.queues) {
      if (stream !== undefined) count(remote, 'out', 1);
      if (waiting.size > 0) count(remote, 'waiting', waiting.size);
    }
    const { incoming } = this.servers;
    for (const stream of incoming.streams) {
      if (stream.identity !== undefined) for (const domain of incoming.of(stream).proved.keys()) count(domain, 'in', 1);
    }
  }

  #measure(metrics: Metrics): void {
    const { federationStreams, federationWaiting, federationWaitingBytes, federationRemembered, streams } = metrics;
    federationRemembered.observe(() => this.#remembered.size);
    const open = () => this.routing.queues.filter(({ stream }) => stream !== undefined).length;
    federationStreams.with({ direction: 'out', state: 'negotiating' }).observe(() => this.#connector.settingUp);
    federationStreams.with({ direction: 'out', state: 'open' }).observe(open);
    streams.with({ kind: 's2s-out', state: 'negotiating' }).observe(() => this.#connector.settingUp);
    streams.with({ kind: 's2s-out', state: 'authenticated' }).observe(open);
    federationWaiting.observe(() => this.routing.waiting.stanzas);
    federationWaitingBytes.observe(() => this.routing.waiting.bytes);
  }
}

const closed = () =>
  new StanzaError('remote-server-not-found', { text: 'This server does not talk to other servers.' });

function shownBy(tls: PeerProof | undefined): PeerCertificate | undefined {
  return tls?.certificate && { certificate: tls.certificate, fault: tls.fault };
}
