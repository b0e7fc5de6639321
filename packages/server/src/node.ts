import type { Keyspace } from '@parley/keyspace/keyspace';
import { Registry } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { AccountsOptions } from './accounts.ts';
import { applyAccountChanges } from './auth/account-changes.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { loadCertificates, tlsSettings } from './certificates.ts';
import { clusterSecret, servedDomains } from './cluster-secret.ts';
import { apply, type Changes } from './config/reload.ts';
import type { Configuration, ModuleConfiguration } from './config/schema.ts';
import { Disclosure } from './disclosure.ts';
import { Hooks } from './hooks.ts';
import { IqTable } from './iq.ts';
import type { Log } from './log.ts';
import { type Module, type ModuleContext, moduleSettings } from './module.ts';
import { Listener } from './net/listener.ts';
import { Overload } from './net/overload.ts';
import { TlsAcceptor } from './net/tls.ts';
import type { Transport } from './net/transport.ts';
import type { Awaitable } from './pipeline.ts';
import { AccountRouting } from './routing/account.ts';
import { errorFor } from './routing/answer.ts';
import { Router } from './routing/router.ts';
import { bindSession } from './session/binding.ts';
import { DirectJournal } from './session/journal.ts';
import { Requests } from './session/requests.ts';
import type { Session, SessionHost } from './session/session.ts';
import { Sessions } from './session/sessions.ts';
import { StalledReaders } from './session/stalled-readers.ts';
import { SessionTraffic } from './session/traffic.ts';
import { Acceptance } from './stream/acceptance.ts';
import { legacySession, type OnBind, resourceBinding } from './stream/bind.ts';
import { StreamFeatures } from './stream/features.ts';
import { Logins } from './stream/logins.ts';
import { Sasl } from './stream/sasl.ts';
import { startTls } from './stream/starttls.ts';
import type { Stream } from './stream/stream.ts';
import { Streams } from './stream/streams.ts';

export interface NodeOptions {
  readonly config: Configuration;
  readonly keyspace: Keyspace;
  readonly log: Log;
  /** In the order in which they are set up. */
  readonly modules: readonly Module[];
  /** Makes what knows the accounts. */
  accounts(options: AccountsOptions): Authenticator;
  readonly registry?: Registry;
  /** File descriptors that this process may have open. */
  readonly descriptorLimit?: number;
}

/** This process in the cluster: everything that serves clients, put together. */
export class Node implements AsyncDisposable {
  readonly registry: Registry;
  readonly sessions = new Sessions();
  readonly streams = new Streams();
  readonly hooks: Hooks;
  readonly router: Router;
  readonly accounts: Authenticator;
  readonly startedAt = Date.now();
  #config: Configuration;
  #selfSigned: string | undefined;
  #stopping = false;
  readonly #options: NodeOptions;
  readonly #secret: (purpose: string) => Buffer;
  readonly #acceptor: TlsAcceptor;
  readonly #acceptance: Acceptance;
  readonly #features = new StreamFeatures();
  readonly #iq: IqTable;
  readonly #disclosure = new Disclosure();
  readonly #requests: Requests;
  readonly #logins: Logins;
  readonly #journal = new DirectJournal(this.sessions);
  readonly #domains: ReadonlySet<string>;
  readonly #listeners: { name: string; listener: Listener }[] = [];
  readonly #stops: (() => void | Promise<void>)[] = [];
  readonly #offers = new Map<unknown, object>();

  private constructor(options: NodeOptions, secret: (purpose: string) => Buffer, acceptor: TlsAcceptor) {
    this.#options = options;
    this.#config = options.config;
    this.#secret = secret;
    this.#acceptor = acceptor;
    this.registry = options.registry ?? new Registry();
    this.#domains = new Set(servedDomains(options.config));
    const { metrics } = this.registry;
    const config = () => this.#config;
    const onFault = (error: unknown) => this.#fault(error);

    this.hooks = new Hooks(onFault);
    const { keyspace, modules } = options;
    this.accounts = options.accounts({ keyspace, modules, secret, config });
    this.#iq = new IqTable((jid) => this.#isLocal(jid));
    this.#requests = new Requests(
      () => {
        const { pendingPerSession, timeoutSeconds } = this.#config.limits.iq;
        return { pendingPerSession, timeoutMs: timeoutSeconds * 1000 };
      },
      (session, limit) => session.stream.host.onLimit(session.stream, limit),
    );
    const accounts = new AccountRouting({
      toAccount: this.hooks.toAccount,
      journal: this.#journal,
      exists: (account) => this.accounts.exists(account),
      routesOf: (account) => this.sessions.of(account),
      handleIq: (iq, at, to, sender) => this.router.handleIq(iq, at, to, sender),
    });
    this.router = new Router({
      iq: this.#iq,
      isLocalDomain: (domain) => this.#domains.has(domain),
      toAccount: (stanza, sender) => accounts.receive(stanza, sender),
      sendRemote: () => {
        throw new StanzaError('remote-server-not-found', { text: 'This server does not talk to other servers.' });
      },
      errorFor: (stanza, error) => this.#errorFor(stanza, error),
      onAnswer: (iq, sender) => this.#requests.answer(sender, iq),
    });
    const overload = new Overload(
      () => this.#config.limits.process,
      (cause) => this.#acceptance.shed(cause),
    );
    this.#stops.push(() => overload[Symbol.dispose]());
    this.#acceptance = new Acceptance({
      config,
      overload,
      metrics,
      log: options.log,
      features: this.#features,
      streams: this.streams,
      descriptorLimit: options.descriptorLimit ?? Number.POSITIVE_INFINITY,
      domain: (name) => (this.#domains.has(name) ? name : undefined),
    });
    this.#logins = new Logins({
      config,
      metrics,
      log: options.log,
      authenticator: this.accounts,
      trusts: (address) => this.#acceptance.connections.trusts(address),
    });
  }

  /** Starts a node and resolves when it listens. */
  static async start(options: NodeOptions): Promise<Node> {
    const { config, keyspace } = options;
    const certificates = await loadCertificates(config);
    const acceptor = new TlsAcceptor(tlsSettings(config), certificates.files);
    const node = new Node(options, await clusterSecret(config, keyspace), acceptor);
    node.#selfSigned = certificates.selfSigned;
    try {
      await node.#setUp();
      await node.#listen();
      node.#measureCertificates();
      node.#watch();
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  /** It takes no new connections any more. */
  get stopping(): boolean {
    return this.#stopping;
  }

  get config(): Configuration {
    return this.#config;
  }

  get domains(): readonly string[] {
    return [...this.#domains];
  }

  /** What the node listens on, by the name in the configuration. */
  get ports(): { name: string; port: number }[] {
    return this.#listeners.map(({ name, listener }) => ({ name, port: listener.port }));
  }

  /** The file of the self-signed certificate, where the node made one for itself. */
  get selfSigned(): string | undefined {
    return this.#selfSigned;
  }

  // --- composition ------------------------------------------------------------------------------------------------

  async #setUp(): Promise<void> {
    const onBind = this.#sessionBinding();
    this.#features.add(startTls(() => this.#config.tls.required));
    const { accounts, sessions, streams } = this;
    applyAccountChanges({ accounts, sessions, streams, events: this.hooks.events });
    this.#offers.set(Logins, this.#logins);
    const sasl = new Sasl(this.#logins, () => this.#config);
    this.#features.add(sasl);
    this.#features.add(sasl.channelBinding);
    for (const module of this.#options.modules) {
      if (this.#config.modules[module.name]?.enabled === false) continue;
      for (const feature of module.features ?? []) this.#disclosure.domainFeatures.add(feature);
      for (const feature of module.accountFeatures ?? []) this.#disclosure.accountFeatures.add(feature);
      this.#disclosure.domainIdentities.push(...(module.identities ?? []));
      await module.setup(this.#context(module, onBind));
    }
    this.#features.add(resourceBinding(onBind));
    this.#features.add(legacySession());
    // RFC 3921 §3: the request has no effect, but older clients wait for its result
    this.#iq.set(NS.session, 'session', () => undefined, { at: ['domain', 'account'] });
    this.#endPipelines();
  }

  /** Behind all modules: what none of them took goes its way, as they have left it. */
  #endPipelines(): void {
    const { fromClient, toSession } = this.hooks;
    fromClient.use('deliver', (stanza, session) => {
      const routed = this.#route(stanza, session);
      return routed instanceof Promise ? routed.then(() => true) : true;
    });
    if (toSession.empty) return;
    toSession.use('deliver', (stanza, session) => {
      session.write(stanza);
      return true;
    });
  }

  #sessionBinding(): OnBind {
    const traffic = new SessionTraffic(() => this.#config, this.registry.metrics);
    const host: SessionHost = {
      process: (stanza, session) => this.hooks.fromClient.run(stanza, session),
      toSession: (stanza, session) => !this.hooks.toSession.empty && this.hooks.toSession.run(stanza, session),
      errorFor: (stanza, error) => this.#errorFor(stanza, error),
      onEnd: (session, reason) => this.#onSessionEnd(session, reason),
      onReceived: (session, stanza) => traffic.received(session, stanza),
      onSent: (_session, stanza) => traffic.sent(stanza),
      outputLimits: () => this.#config.limits.output,
    };
    return (stream, jid) =>
      bindSession(
        {
          sessions: this.sessions,
          host,
          maxPerAccount: () => this.#config.limits.sessions.perAccount,
          onBound: (session) => this.#onSessionBound(session),
        },
        stream,
        jid,
      );
  }

  #context(module: Module, onBind: OnBind): ModuleContext {
    const options = this.#options;
    return {
      config: () => this.#config,
      options: () => this.#config.modules[module.name] as ModuleConfiguration,
      domains: this.domains,
      keyspace: options.keyspace,
      metrics: this.registry.metrics,
      log: options.log,
      hooks: this.hooks,
      iq: this.#iq,
      features: this.#features,
      router: this.router,
      sessions: this.sessions,
      journal: this.#journal,
      requests: this.#requests,
      accounts: this.accounts,
      disclosure: this.#disclosure,
      modules: options.modules,
      onBind,
      secret: this.#secret,
      isLocal: (jid) => this.#isLocal(jid),
      isAdmin: (jid) => this.#config.admins.includes(jid.bareText),
      provide: (token, instance) => this.#offers.set(token, instance),
      use: <T extends object>(token: abstract new (...args: never[]) => T): T => {
        const instance = this.#offers.get(token);
        if (instance === undefined)
          throw new Error(`Module ${module.name} needs ${token.name}, which no earlier one offers.`);
        return instance as T;
      },
      onStop: (stop) => this.#stops.push(stop),
    };
  }

  /** What has to be looked at from time to time. */
  #watch(): void {
    const stalled = new StalledReaders(this.sessions);
    const look = () => stalled.check(performance.now(), this.#config.limits.output.stalledSeconds * 1000);
    const timer = setInterval(look, 5000).unref();
    this.#stops.push(() => clearInterval(timer));
  }

  async #listen(): Promise<void> {
    const { c2s, c2sTls } = this.#config.listen;
    for (const address of c2s) await this.#listenOn('c2s', address, false);
    for (const address of c2sTls) await this.#listenOn('c2sTls', address, true);
  }

  async #listenOn(name: string, address: { host: string; port: number }, direct: boolean): Promise<void> {
    const listener = new Listener({
      ...address,
      direct,
      acceptor: this.#acceptor,
      admit: (socket) => this.#acceptance.admit(socket),
      onTransport: (transport) => this.#acceptance.accept(transport, direct),
      onHandshakeError: (remote, error) => {
        this.#acceptance.dismiss(remote);
        this.#options.log.flood('tls.failed', { address: remote, reason: String(error) });
      },
      onError: (error) => this.#options.log.flood('listener.error', { error, listener: name }),
    });
    await listener.listen();
    this.#listeners.push({ name, listener });
  }

  /** Takes a connection that came another way than by a listener. */
  attach(transport: Transport): Stream {
    return this.#acceptance.accept(transport, true);
  }

  // --- sessions ---------------------------------------------------------------------------------------------------

  #route(stanza: Stanza, session: Session): Awaitable<void> {
    // RFC 6120 §10.3: without an address it is for the sender's own account
    return this.router.route(stanza.to === undefined ? stanza.withTo(session.account) : stanza, session);
  }

  #onSessionBound(session: Session): void {
    session.stream.unlimited = this.#config.admins.includes(session.account.toString());
    this.registry.metrics.sessions.add(1);
    this.#options.log.info('session.bound', {
      jid: session.jid.toString(),
      address: session.stream.transport.remoteAddress,
      mechanism: session.stream.mechanism,
      tls: session.stream.transport.tls?.protocol,
    });
    this.hooks.events.emit('session.bound', session);
  }

  #onSessionEnd(session: Session, reason: string): void {
    this.sessions.remove(session);
    this.#requests.end(session);
    this.registry.metrics.sessions.add(-1);
    this.#options.log.info('session.unbound', { jid: session.jid.toString(), reason });
    this.hooks.events.emit('session.unbound', session, reason);
  }

  // --- what everything shares -------------------------------------------------------------------------------------

  #isLocal(jid: Jid): boolean {
    return this.#domains.has(jid.domain);
  }

  #errorFor(stanza: Stanza, error: unknown): Stanza | undefined {
    const answer = errorFor(stanza, error, (fault) => this.#fault(fault));
    if (answer !== undefined && error instanceof StanzaError) {
      this.registry.metrics.stanzaErrors.with({ condition: error.condition }).add(1);
    }
    return answer;
  }

  #fault(error: unknown): void {
    this.registry.metrics.errors.add(1);
    this.#options.log.error('node.fault', { error: error instanceof Error ? error : new Error(String(error)) });
  }

  /** Takes over what can change while the node runs. Throws, and changes nothing, where the certificates are not good. */
  async reload(next: Configuration): Promise<Changes> {
    const config = structuredClone(this.#config);
    const changes = apply(config, next, moduleSettings(this.#options.modules));
    const certificates = await loadCertificates(config);
    this.#acceptor.replace(tlsSettings(config), certificates.files);
    this.#config = config;
    this.#measureCertificates();
    return changes;
  }

  #measureCertificates(): void {
    const { certificateDays } = this.registry.metrics;
    for (const domain of this.#domains) {
      certificateDays.with({ domain }).observe(() => (this.#acceptor.expiresAt(domain) - Date.now()) / 86_400_000);
    }
  }

  // --- end --------------------------------------------------------------------------------------------------------

  /** Stops accepting, closes every stream with system-shutdown, and resolves when all is let go of. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { listener } of this.#listeners) listener.close();
    for (const stream of [...this.streams]) stream.error(new StreamError('system-shutdown'));
    for (const stop of this.#stops.reverse()) await stop();
    this.#stops.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
