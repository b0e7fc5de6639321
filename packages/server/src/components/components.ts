import type { LimitName } from '@parley/metrics/catalogue';
import type { Metrics } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { ComponentConfiguration } from '../config/components.ts';
import type { Configuration } from '../config/schema.ts';
import type { Hooks } from '../hooks.ts';
import type { Log } from '../log.ts';
import type { Transport } from '../net/transport.ts';
import type { Peers } from '../peers.ts';
import { type Awaitable, Dropped } from '../pipeline.ts';
import { errorFor } from '../routing/answer.ts';
import { tellRefusal } from '../routing/refusal.ts';
import type { Router, Service, ServiceFinder } from '../routing/router.ts';
import type { OtherNodes } from '../session/other-nodes.ts';
import { StalledReaders } from '../session/stalled-readers.ts';
import type { Acceptance } from '../stream/acceptance.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { type ComponentInstance, ComponentInstances } from './component-instances.ts';
import { ComponentRequests } from './component-requests.ts';
import { ComponentStream, type ComponentStreamHost } from './component-stream.ts';
import { ComponentTable } from './component-table.ts';
import { ComponentsElsewhere } from './components-elsewhere.ts';
import { choose } from './rendezvous.ts';

export interface ComponentsOptions {
  readonly config: () => Configuration;
  /** Our virtual domains. */
  readonly domains: readonly string[];
  readonly router: Router;
  readonly peers: Peers;
  /** The id of this node. */
  readonly self: string;
  /** Undefined where this node is alone. */
  readonly otherNodes: OtherNodes | undefined;
  readonly acceptance: Acceptance;
  readonly hooks: Hooks;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** Takes a stanza that a component has sent, in place of routing it; false leaves it. What it throws is answered. */
export type ComponentTap = (stanza: Stanza, component: ComponentConfiguration) => Awaitable<boolean>;

const CHECK_MS = 1000;

/** External components (XEP-0114): their streams, and the way of stanzas to and from them. */
export class Components implements ComponentStreamHost, ServiceFinder, Disposable {
  readonly table: ComponentTable;
  /** What the server itself asks components. */
  readonly requests: ComponentRequests;
  readonly #options: ComponentsOptions;
  readonly #instances = new ComponentInstances();
  readonly #elsewhere: ComponentsElsewhere;
  readonly #streams = new Set<ComponentStream>();
  readonly #check: NodeJS.Timeout;
  readonly #services = new Map<string, Service>();
  readonly #taps: ComponentTap[] = [];
  readonly #listeners: ((component: ComponentConfiguration, instance: ComponentStream) => void)[] = [];

  constructor(options: ComponentsOptions) {
    this.#options = options;
    const { config, peers, hooks, metrics, self } = options;
    this.table = new ComponentTable(() => config().components);
    this.#elsewhere = new ComponentsElsewhere({
      self,
      peers,
      events: hooks.events,
      instances: this.#instances,
      limits: () => this.queue(),
      take: (instance, stanza) => this.#write(instance, stanza),
      fail: (stanza, error) => this.#answer(stanza, error),
      onChange: () => this.#endSurplus(),
    });
    const stalled = new StalledReaders(this.#streams);
    this.requests = new ComponentRequests({
      self,
      peers,
      give: (stanza, domain, whose) => this.#give(stanza, domain, whose),
    });
    this.#check = setInterval(() => {
      this.#endForgotten();
      const stalledMs = config().limits.output.stalledSeconds * 1000;
      stalled.check(performance.now(), { stalledMs, maxBytes: Number.POSITIVE_INFINITY });
    }, CHECK_MS).unref();
    const open = () => this.connected.toArray().length;
    metrics.streams.with({ kind: 'component', state: 'negotiating' }).observe(() => this.#streams.size - open());
    metrics.streams.with({ kind: 'component', state: 'bound' }).observe(open);
    metrics.componentWaiting.observe(() => this.#streams.values().reduce((sum, { waiting }) => sum + waiting, 0));
  }

  /** Takes a connection of somebody who says to be a component. */
  accept(transport: Transport): ComponentStream {
    const stream = new ComponentStream(transport, this);
    this.#streams.add(stream);
    return stream;
  }

  /** The instances that are connected to this node. */
  get connected(): IteratorObject<ComponentStream, undefined> {
    return this.#streams.values().filter(({ open }) => open);
  }

  /** From now on this is asked first, for each stanza that a component sends. */
  tap(tap: ComponentTap): void {
    this.#taps.push(tap);
  }

  /** Calls when an instance has connected to this node. */
  onConnected(listener: (component: ComponentConfiguration, instance: ComponentStream) => void): void {
    this.#listeners.push(listener);
  }

  /** Whether an instance is the one that gets what comes from this address. */
  isFor({ domain, id }: ComponentStream, from: Jid): boolean {
    return choose(this.#instances.of(domain), from.bareText)?.id === id;
  }

  /** Whether an instance of this component is connected, to whatever node. */
  isConnected(domain: string): boolean {
    return this.#instances.of(domain).length > 0;
  }

  /** Nobody new comes: those who are here go to other nodes, where there are some. */
  retire(): void {
    const { otherNodes } = this.#options;
    if (otherNodes !== undefined && !otherNodes.alone) this.#endAll();
  }

  #endAll(): void {
    for (const stream of [...this.#streams]) stream.error(new StreamError('system-shutdown'));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#check);
    this.requests[Symbol.dispose]();
    this.#endAll();
  }

  // --- to components ----------------------------------------------------------------------------------------------

  find(domain: string): Service | undefined {
    const component = this.table.serving(domain);
    if (component === undefined) return;
    let service = this.#services.get(component.domain);
    if (service === undefined) {
      service = (stanza) => this.#give(stanza, component.domain, stanza.from?.bareText ?? '');
      this.#services.set(component.domain, service);
    }
    return service;
  }

  *shown(): Generator<string, void, undefined> {
    for (const { domain, listed } of this.table.all) if (listed && this.isConnected(domain)) yield domain;
  }

  /**
   * Hands a stanza to the instance whose turn it is for somebody, its sender mostly, wherever that is connected; to another one where it is
   * gone. Throws or rejects with a StanzaError where nobody takes it.
   */
  #give(stanza: Stanza, domain: string, whose: string, gone: readonly ComponentInstance[] = []): Awaitable<void> {
    const instances = this.#instances.of(domain).filter((each) => !gone.some(({ id }) => id === each.id));
    const instance = choose(instances, whose);
    if (instance === undefined) return this.#absent(stanza, domain);
    if (instance.stream !== undefined) return this.#write(instance, stanza);
    const taken = this.#elsewhere.deliver(instance, stanza);
    if (taken === 'full') throw this.#full(domain);
    return taken.then((there) => (there ? undefined : this.#give(stanza, domain, whose, [...gone, instance])));
  }

  #write({ stream, domain }: ComponentInstance, stanza: Stanza): Awaitable<void> {
    const taken = (stream as ComponentStream).deliver(stanza);
    if (taken === false) throw this.#full(domain);
    return taken;
  }

  #full(component: string): StanzaError {
    this.#options.metrics.componentUndelivered.with({ component, cause: 'full' }).add(1);
    return new StanzaError('resource-constraint', { text: 'The component cannot keep up: try again later.' });
  }

  #absent(stanza: Stanza, component: string): never {
    this.#options.metrics.componentUndelivered.with({ component, cause: 'absent' }).add(1);
    // whoever is told that a contact cannot be reached takes it for its answer; who wants to enter a room waits for one
    if (stanza.kind === 'presence' && stanza.childOf(NS.muc) === undefined) throw new Dropped();
    throw new StanzaError('service-unavailable', { type: 'wait', text: 'The component is not connected.' });
  }

  #answer(stanza: Stanza, error: unknown): void {
    const answer = this.errorFor(stanza, error);
    const routed = answer && this.#options.router.route(answer);
    if (routed instanceof Promise) this.#options.hooks.pending.add(routed);
  }

  // --- which there may be -----------------------------------------------------------------------------------------

  /** The configuration names it no more. */
  #endForgotten(): void {
    for (const stream of [...this.#streams]) {
      if (!stream.open || this.table.get(stream.domain) !== undefined) continue;
      stream.error(new StreamError('host-gone', 'The component is not configured any more.'));
    }
  }

  /** Two nodes may have taken in the last one at the same time: those that came last go. */
  #endSurplus(): void {
    for (const component of this.table.all) {
      for (const { stream } of this.#instances.of(component.domain).slice(this.#most(component))) {
        stream?.error(new StreamError('conflict', 'As many instances of the component are connected as may be.'));
      }
    }
  }

  #most({ instances }: ComponentConfiguration): number {
    return instances ?? this.#options.config().limits.components.instances;
  }

  // --- ComponentStreamHost ----------------------------------------------------------------------------------------

  component(domain: string): ComponentConfiguration | undefined {
    return this.table.get(domain);
  }

  serving(domain: string): ComponentConfiguration | undefined {
    return this.#options.domains.includes(domain) ? undefined : this.table.serving(domain);
  }

  hasRoom(component: ComponentConfiguration): boolean {
    if (this.#instances.of(component.domain).length < this.#most(component)) return true;
    this.#options.metrics.componentHandshakes.with({ outcome: 'refused' }).add(1);
    return false;
  }

  get limitsBefore() {
    return this.#options.acceptance.limitsBefore;
  }

  get limitsAfter() {
    return this.#options.acceptance.limitsAfter;
  }

  get timeouts() {
    return this.#options.acceptance.timeouts;
  }

  rate() {
    return this.#options.config().limits.components;
  }

  queue() {
    const { queueStanzas: maxStanzas, queueBytes: maxBytes } = this.#options.config().limits.components;
    return { maxStanzas, maxBytes };
  }

  onOpen(stream: ComponentStream): void {
    const { acceptance, metrics, log, hooks } = this.#options;
    const { domain: component, id: instance, transport } = stream;
    acceptance.connections.authenticated(transport.remoteAddress);
    metrics.componentHandshakes.with({ outcome: 'completed' }).add(1);
    metrics.componentInstances.with({ component }).add(1);
    log.info('component.connected', { component, instance, address: transport.remoteAddress });
    this.#instances.add(stream);
    const told = this.#elsewhere.announce();
    if (told !== undefined) hooks.pending.add(told);
    const known = this.table.get(component) as ComponentConfiguration;
    for (const listener of this.#listeners) listener(known, stream);
  }

  onStanza(stanza: Stanza, stream: ComponentStream): Awaitable<unknown> {
    const trace = this.#options.tracing?.begin(stanza, 'component');
    return trace === undefined ? this.#onStanza(stanza, stream) : trace.run(() => this.#onStanza(stanza, stream));
  }

  #onStanza(stanza: Stanza, stream: ComponentStream): Awaitable<unknown> {
    const { router, metrics, hooks, log } = this.#options;
    const component = this.table.get(stream.domain);
    if (component === undefined) return;
    metrics.componentStanzas.with({ component: component.domain, kind: stanza.kind, direction: 'in' }).add(1);
    if (log.traces) log.trace('stanza.received', { component: component.domain, xml: stanza.toString() });
    if (this.requests.take(stanza, component.domain)) return;
    try {
      const done = this.#tapped(stanza, component, 0) ?? router.route(stanza);
      if (!(done instanceof Promise)) return;
      hooks.pending.add(done);
      return done.catch((error) => this.#answer(stanza, error));
    } catch (error) {
      this.#answer(stanza, error);
    }
  }

  /** Undefined where nobody takes it at once; a promise where somebody may. */
  #tapped(stanza: Stanza, component: ComponentConfiguration, from: number): Promise<void> | true | undefined {
    for (let i = from; i < this.#taps.length; i++) {
      const taken = (this.#taps[i] as ComponentTap)(stanza, component);
      if (taken === true) return true;
      if (taken instanceof Promise) return this.#goOn(taken, stanza, component, i + 1);
    }
  }

  async #goOn(first: Promise<boolean>, stanza: Stanza, component: ComponentConfiguration, next: number): Promise<void> {
    if (await first) return;
    await (this.#tapped(stanza, component, next) ?? this.#options.router.route(stanza));
  }

  onWritten(stanza: Stanza, { domain: component }: ComponentStream): void {
    const { metrics, log } = this.#options;
    metrics.componentStanzas.with({ component, kind: stanza.kind, direction: 'out' }).add(1);
    if (log.traces) log.trace('stanza.sent', { component, xml: stanza.toString() });
  }

  onBytes(count: number): void {
    this.#options.metrics.io.with({ direction: 'in' }).add(count);
  }

  onText(text: string): void {
    this.#options.metrics.io.with({ direction: 'out' }).add(Buffer.byteLength(text));
  }

  errorFor(stanza: Stanza, error: unknown): Stanza | undefined {
    const answer = errorFor(stanza, error, (fault) => this.onFault(fault));
    if (answer !== undefined) tellRefusal(this.#options.log, stanza, error);
    return answer;
  }

  onError(stream: ComponentStream, error: StreamError): void {
    const { metrics, log } = this.#options;
    metrics.streamErrors.with({ condition: error.condition, direction: 'out' }).add(1);
    const { domain: component, transport } = stream;
    const { condition, text } = error;
    if (condition === 'system-shutdown') return;
    if (stream.open) {
      log.warn('component.error', { component, instance: stream.id, condition, text });
      return;
    }
    if (condition === 'not-authorized') metrics.componentHandshakes.with({ outcome: 'failed' }).add(1);
    log.flood('component.refused', { component, address: transport.remoteAddress, condition, text });
  }

  onLimit({ transport, domain }: ComponentStream, limit: LimitName): void {
    this.#options.metrics.limitsExceeded.with({ limit }).add(1);
    this.#options.log.flood('limit.exceeded', { limit, address: transport.remoteAddress, component: domain });
  }

  onFault(error: unknown): void {
    this.#options.metrics.errors.add(1);
    this.#options.log.error('component.fault', { error: error instanceof Error ? error : new Error(String(error)) });
  }

  onEnd(stream: ComponentStream, reason: string, unsent: readonly Stanza[]): void {
    const { metrics, log, hooks, router } = this.#options;
    this.#streams.delete(stream);
    if (stream.since === 0) return;
    const { domain: component, id: instance } = stream;
    metrics.componentInstances.with({ component }).add(-1);
    log.info('component.disconnected', { component, instance, reason, unsent: unsent.length });
    this.#instances.remove(instance);
    const told = this.#elsewhere.announce();
    if (told !== undefined) hooks.pending.add(told);
    // to another instance, or back as errors
    for (const stanza of unsent) {
      const routed = router.route(stanza);
      if (routed instanceof Promise) hooks.pending.add(routed);
    }
  }

  onDisconnect({ transport, since }: ComponentStream): void {
    this.#options.acceptance.connections.closed(transport.remoteAddress, since > 0);
  }
}
