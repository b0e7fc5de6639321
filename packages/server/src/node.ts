import type { Keyspace } from '@parley/keyspace/keyspace';
import { Registry } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { AccountsOptions } from './accounts.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { Groups } from './auth/groups.ts';
import { kerberosOf } from './auth/kerberos/kerberos.ts';
import { Directories } from './auth/ldap/directories.ts';
import { accountsOf } from './auth/ldap/directory-accounts.ts';
import { NodeGroups } from './auth/node-groups.ts';
import { loadCertificates, measureCertificates, tlsSettings } from './certificates.ts';
import { ClientSessions } from './client-sessions.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { ClusterLink } from './cluster/cluster-host.ts';
import { clusterOf } from './cluster/cluster-of-node.ts';
import { clusterSecret, servedDomains } from './cluster-secret.ts';
import { apply, type Changes } from './config/reload.ts';
import type { Configuration } from './config/schema.ts';
import { Disclosure } from './disclosure.ts';
import { Draining, type DrainState } from './draining.ts';
import { Failures } from './failures.ts';
import { Federation } from './federation.ts';
import { letGo } from './fenced.ts';
import { Hooks } from './hooks.ts';
import { IqTable } from './iq.ts';
import type { Log } from './log.ts';
import { LoginServices } from './login-services.ts';
import { type Module, moduleSettings } from './module.ts';
import { type SharedContext, setUpModules } from './module-setup.ts';
import { Overload } from './net/overload.ts';
import { TlsAcceptor } from './net/tls.ts';
import type { Transport } from './net/transport.ts';
import { Peers } from './peers.ts';
import { AccountRouting } from './routing/account.ts';
import { Router } from './routing/router.ts';
import { type CountingJournal, DirectJournal } from './session/journal.ts';
import { Requests } from './session/requests.ts';
import { ResumptionStore } from './session/resumption/resumption-store.ts';
import { Sessions } from './session/sessions.ts';
import { Acceptance } from './stream/acceptance.ts';
import { Admission } from './stream/admission.ts';
import type { OnBind } from './stream/bind.ts';
import { addBinding } from './stream/client-features.ts';
import { clientRole } from './stream/client-role.ts';
import { drain } from './stream/drain.ts';
import { StreamFeatures } from './stream/features.ts';
import type { Stream } from './stream/stream.ts';
import { measureStreams } from './stream/stream-metrics.ts';
import { clientSettings } from './stream/stream-settings.ts';
import { Streams } from './stream/streams.ts';
import { allDoors, type Doors, StreamListeners } from './stream-listeners.ts';
import type { Tracing } from './tracing/tracing.ts';

export interface NodeOptions {
  readonly config: Configuration;
  readonly keyspace: Keyspace;
  readonly log: Log;
  /** In the order in which they are set up. */
  readonly modules: readonly Module[];
  /** Makes what knows the accounts that the server keeps itself. */
  accounts(options: AccountsOptions): Authenticator;
  readonly registry?: Registry;
  readonly tracing?: Tracing | undefined;
  /** File descriptors that this process may have open. */
  readonly descriptorLimit?: number;
  /** The other nodes, where there may be some; a node without is alone. */
  readonly cluster?: ClusterLink;
  /** This node was declared dead by others: it has given up everything, and only another start brings it back. */
  onFenced?(): void;
}

/** This process in the cluster: everything that serves clients, put together. */
export class Node implements AsyncDisposable {
  readonly registry: Registry;
  readonly sessions = new Sessions();
  readonly streams = new Streams();
  readonly hooks: Hooks;
  readonly router: Router;
  readonly accounts: Authenticator;
  readonly groups: NodeGroups;
  readonly directories: Directories;
  readonly federation: Federation;
  readonly offers = new Map<unknown, object>(); // what modules use of each other, by its class
  readonly #startedAt = performance.now();
  #config: Configuration;
  #selfSigned: string | undefined;
  #stopping = false;
  #givenUp = false; // by others: what it has begun never is done
  readonly #options: NodeOptions;
  readonly #secret: (purpose: string) => Buffer;
  readonly #acceptor: TlsAcceptor;
  readonly #acceptance: Acceptance;
  readonly #features = new StreamFeatures();
  readonly #iq: IqTable;
  readonly #disclosure = new Disclosure();
  readonly #requests: Requests;
  readonly #logins: LoginServices;
  readonly #admission: Admission;
  readonly #peers = new Peers();
  readonly #store: ResumptionStore;
  /** Undefined where this node is alone. */
  readonly cluster: Cluster | undefined;
  readonly #journal: CountingJournal;
  readonly #domains: ReadonlySet<string>;
  readonly #clients: ClientSessions;
  readonly #listeners: StreamListeners;
  readonly #doors: Doors;
  readonly #failures: Failures;
  readonly #draining: Draining;
  readonly #reaps: ((isGone: (owner: string, sid: string) => boolean) => Promise<void>)[] = [];
  readonly #starts: (() => Promise<void>)[] = [];
  readonly #stops: (() => void | Promise<void>)[] = [];

  private constructor(options: NodeOptions, secret: (purpose: string) => Buffer, acceptor: TlsAcceptor) {
    this.#options = options;
    this.#config = options.config;
    this.#secret = secret;
    this.#acceptor = acceptor;
    this.registry = options.registry ?? new Registry();
    this.#domains = new Set(servedDomains(options.config));
    const { metrics } = this.registry;
    const config = () => this.#config;
    const { keyspace, log, modules, tracing, descriptorLimit = Number.POSITIVE_INFINITY } = options;
    const base = { config, metrics, log, tracing };
    this.#failures = new Failures(metrics, log, keyspace);
    const { errorFor, passes, onFault } = this.#failures;
    this.hooks = new Hooks(onFault);
    const own = { keyspace, config, onFault, secret, peers: this.#peers };
    this.groups = new NodeGroups({ ...own, sessions: this.sessions, events: this.hooks.events, starts: this.#starts });
    this.directories = new Directories({ ...own, metrics, log, groups: this.groups });
    const internal = options.accounts({ keyspace, modules, secret, config });
    this.accounts = accountsOf({ internal, directories: this.directories, keyspace, log, secret, config });
    this.#iq = new IqTable((jid) => this.#isLocal(jid));
    this.#requests = Requests.within(() => this.#config.limits.iq);
    const onDamaged = (error: Error) => log.error('resumption.damaged', { error });
    this.#store = new ResumptionStore({ keyspace, owner: options.cluster?.id, onDamaged });
    this.cluster =
      options.cluster &&
      clusterOf(options.cluster, {
        ...base,
        ...own,
        sessions: this.sessions,
        store: this.#store,
        events: this.hooks.events,
        route: (stanza) => this.router.route(stanza),
        onLate: (stanza) => this.#clients.onLate(stanza),
        reap: (isGone) => this.#reap(isGone),
        onFenced: () => this.#fenced(),
      });
    this.#journal = this.cluster?.journal ?? new DirectJournal(this.sessions);
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
      sendRemote: (stanza) => this.federation.send(stanza),
      errorFor,
      passes,
      onAnswer: (iq, sender) => this.#requests.answer(sender, iq),
    });
    const overload = new Overload(
      () => this.#config.limits.process,
      (cause) => this.#acceptance.shed(cause),
    );
    const { hooks, streams, sessions, cluster } = this;
    const process = { overload, descriptorLimit, otherConnections: () => streams.connected };
    const asked = { secret, errorFor, router: () => this.router };
    const parts = { ...base, ...process, ...own, ...asked, sessions, cluster, hooks, store: this.#store };
    this.federation = new Federation({ ...parts, journal: this.#journal });
    this.#stops.push(() => overload[Symbol.dispose]());
    this.#stops.push(() => this.directories.stop());
    this.#stops.push(() => this.federation.stop());
    this.#admission = new Admission(base);
    this.#acceptance = new Acceptance({
      ...base,
      ...process,
      role: clientRole,
      settings: clientSettings,
      admission: this.#admission,
      features: this.#features,
      streams,
      otherConnections: () => this.federation.servers.incoming.streams.connected,
      domain: (name) => (this.#domains.has(name) ? name : undefined),
    });
    this.#logins = new LoginServices({
      ...{ ...base, ...own, hooks, sessions, streams, accounts: this.accounts, admission: this.#admission },
      tickets: kerberosOf(base, this.#starts, this.#stops),
      trusts: (address) => this.#acceptance.connections.trusts(address),
    });
    this.#stops.push(this.#logins.stop);
    measureStreams(metrics, streams, () => sessions.size);
    this.#clients = new ClientSessions({
      ...base,
      ...{ hooks, sessions, errorFor, passes, cluster },
      router: this.router,
      requests: this.#requests,
      journal: this.#journal,
      streamHost: this.#acceptance,
      isAdmin: (account) => this.groups.isAdmin(account),
    });
    this.#stops.push(() => this.#clients[Symbol.dispose]());
    this.#listeners = new StreamListeners({ ...options.config, ...base, acceptor, acceptance: this.#acceptance });
    this.#doors = allDoors(this.#listeners, this.federation);
    this.#draining = new Draining({ streams, sessions, others: cluster, settings: () => this.#config.drain, onFault });
  }

  /** Starts a node and resolves when it listens. */
  static async start(options: NodeOptions): Promise<Node> {
    const { config } = options;
    const certificates = await loadCertificates(config);
    const acceptor = new TlsAcceptor(tlsSettings(config), certificates.files);
    const node = new Node(options, await clusterSecret(config, options.keyspace), acceptor);
    node.#selfSigned = certificates.selfSigned;
    try {
      node.federation.take(config, certificates.files);
      await node.#setUp();
      for (const start of node.#starts) await start();
      if (node.cluster === undefined) await node.#reap((owner) => owner !== node.#store.owner);
      else await node.cluster.join().then(() => node.groups.check()); // what changed before others knew of it
      node.directories.start();
      await node.#doors.open();
      measureCertificates(node.registry.metrics, node.domains, acceptor);
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

  /** It is to get no new connections: it stops, or was told so. */
  get draining(): boolean {
    return this.#stopping || this.#config.drain.now || this.drainState !== 'off';
  }

  /** How far the sessions have gone that are to leave while the node runs on. */
  get drainState(): DrainState {
    return this.#draining.state;
  }

  /** Accepts nothing any more and hands its sessions over to others. False where there are none. */
  drain(): boolean {
    if (this.cluster === undefined || this.cluster.alone) return false;
    if (!this.#stopping) this.#doors.close();
    void this.#draining.start();
    return true;
  }

  /** Accepts again; what has left stays where it is. */
  async cancelDrain(): Promise<void> {
    if (this.#stopping || this.drainState === 'off') return;
    this.#draining.cancel();
    await this.#doors.open();
  }

  /** What is used of what the process has least of; from 1 on nobody is taken in. */
  get load(): number {
    return this.#acceptance.load;
  }

  /** By a clock that nobody sets. */
  get uptimeSeconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  get config(): Configuration {
    return this.#config;
  }

  get domains(): readonly string[] {
    return [...this.#domains];
  }

  /** What the node listens on, by the name in the configuration. */
  get ports(): Doors['ports'] {
    return this.#doors.ports;
  }

  /** The file of the self-signed certificate, where the node made one for itself. */
  get selfSigned(): string | undefined {
    return this.#selfSigned;
  }

  async #setUp(): Promise<void> {
    const { accounts, sessions, router, hooks, offers } = this;
    const { keyspace, log, modules, tracing } = this.#options;
    const onBind: OnBind = (stream, jid) => this.#clients.bind(stream, jid);
    const { metrics } = this.registry;
    const config = () => this.#config;
    this.#logins.setUp(this.#features, router, offers);
    const shared: SharedContext = {
      config,
      domains: this.domains,
      keyspace,
      metrics,
      log,
      tracing,
      hooks,
      iq: this.#iq,
      features: this.#features,
      router,
      sessions,
      journal: this.#journal,
      requests: this.#requests,
      accounts,
      disclosure: this.#disclosure,
      modules,
      onBind,
      peers: this.#peers,
      sessionStore: this.#store,
      otherNodes: this.cluster,
      onReap: (reap) => this.#reaps.push(reap),
      restoreSession: (jid, sessionId) => this.#clients.restore(jid, sessionId),
      secret: this.#secret,
      isLocal: (jid) => this.#isLocal(jid),
      isAdmin: (jid) => this.groups.isAdmin(jid),
      listen: (port) => this.#listeners.add(port),
      onStart: (start) => this.#starts.push(start),
      onStop: (stop) => this.#stops.push(stop),
    };
    offers.set(Groups, this.groups).set(Directories, this.directories).set(Acceptance, this.#acceptance);
    await setUpModules(shared, offers);
    addBinding(this.#features, onBind);
    // RFC 3921 §3: the request has no effect, but older clients wait for its result
    this.#iq.set(NS.session, 'session', () => undefined, { at: ['domain', 'account'] });
    this.#clients.endPipelines();
    this.federation.servers.endPipeline();
  }

  async #reap(isGone: (owner: string, sid: string) => boolean): Promise<void> {
    for (const reap of [...this.#reaps, this.federation.reap]) await reap(isGone);
  }

  /** Others have taken over what this node had: whatever it says now is not true any more. */
  #fenced(): void {
    letGo(this.sessions, this.streams, this.registry.metrics, this.#options.log);
    this.#givenUp = true;
    this.#options.onFenced?.();
  }

  /** Takes a connection that came another way than by a listener. */
  attach(transport: Transport): Stream {
    return this.#acceptance.accept(transport, true);
  }

  #isLocal(jid: Jid): boolean {
    return this.#domains.has(jid.domain);
  }

  /** Takes over what can change while the node runs. Throws, and changes nothing, where certificates are not good. */
  async reload(next: Configuration): Promise<Changes> {
    const config = structuredClone(this.#config);
    const changes = apply(config, next, moduleSettings(this.#options.modules));
    const certificates = await loadCertificates(config);
    const takers = [this.directories.reload(config), this.#logins.reload(config)];
    this.#acceptor.replace(tlsSettings(config), certificates.files);
    this.federation.take(config, certificates.files);
    for (const take of takers) take();
    this.#config = config;
    measureCertificates(this.registry.metrics, this.domains, this.#acceptor);
    await this.#logins.tickets.examine();
    return changes;
  }

  /**
   * Stops accepting, hands its sessions over where there are other nodes, closes every stream with system-shutdown, and
   * resolves when all is done and let go of.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#doors.close();
    const until = performance.now() + (this.#givenUp ? 0 : this.#config.drain.seconds * 1000);
    const left = () => Math.max(0, until - performance.now());
    await this.federation.settle(left());
    await this.#draining.stop();
    await drain(this.streams, this.hooks.pending, left());
    await this.federation.servers.drain(left());
    await this.#draining.leaveRest();
    await this.cluster?.leave();
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }

  readonly [Symbol.asyncDispose] = () => this.stop();
}
