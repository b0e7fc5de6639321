import type { LimitName } from '@parley/metrics/catalogue';
import type { Metrics } from '@parley/metrics/registry';
import { StreamError } from '@parley/xmpp/stream-error';
import type { XmlLimits } from '@parley/xmpp/xml-limits';
import type { Configuration } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { ConnectionLimits } from '../net/connection-limits.ts';
import { unmapped } from '../net/networks.ts';
import type { OverloadCause } from '../net/overload.ts';
import { HandshakeTimeout } from '../net/tls.ts';
import { type Rate, TokenBucket } from '../net/token-bucket.ts';
import type { Transport } from '../net/transport.ts';
import type { Admission } from './admission.ts';
import type { StreamFeatures } from './features.ts';
import { LoadBalancers } from './load-balancers.ts';
import { Stream } from './stream.ts';
import type { StreamHost } from './stream-host.ts';
import type { StreamRole } from './stream-role.ts';
import type { StreamSettings } from './stream-settings.ts';
import type { Streams } from './streams.ts';

export interface AcceptanceOptions {
  readonly role: StreamRole;
  settings(config: Configuration): StreamSettings;
  /** The rate of one stream, where that has one of its own. */
  rate?(stream: Stream): Rate | undefined;
  readonly config: () => Configuration;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly features: StreamFeatures;
  readonly streams: Streams;
  /** Connections of this process that are accepted elsewhere, and count as well. */
  otherConnections?(): number;
  readonly admission?: Admission;
  readonly overload: { readonly cause: OverloadCause | undefined; readonly load: number };
  /** File descriptors that this process may have open. */
  readonly descriptorLimit: number;
  domain(name: string): string | undefined;
}

/** Takes connections in, within the limits, and makes streams of them. */
export class Acceptance implements StreamHost {
  readonly role: StreamRole;
  readonly features: StreamFeatures;
  readonly connections: ConnectionLimits;
  readonly loadBalancers: LoadBalancers;
  readonly #options: AcceptanceOptions;
  readonly #buckets = new WeakMap<Stream, TokenBucket>();
  readonly #counters;
  #settingsOf: Configuration | undefined;
  #settings: StreamSettings | undefined;

  constructor(options: AcceptanceOptions) {
    this.#options = options;
    this.role = options.role;
    this.features = options.features;
    this.connections = new ConnectionLimits(() => options.config().limits.connections);
    const { config, metrics, log } = options;
    this.loadBalancers = new LoadBalancers({
      config,
      metrics,
      log,
      hasRoom: (address) => !this.#refusedByProcess(address),
    });
    this.#counters = {
      tcp: metrics.connectionsAccepted.with({ transport: 'tcp' }),
      tls: metrics.connectionsAccepted.with({ transport: 'tls' }),
      refused: metrics.connectionsRefused.with({ cause: 'address' }),
      overloaded: metrics.connectionsRefused.with({ cause: 'overload' }),
      noDescriptors: metrics.connectionsRefused.with({ cause: 'descriptors' }),
      completed: metrics.handshakes.with({ outcome: 'completed' }),
      failed: metrics.handshakes.with({ outcome: 'failed' }),
      timeout: metrics.handshakes.with({ outcome: 'timeout' }),
      bytesIn: metrics.io.with({ direction: 'in' }),
      bytesOut: metrics.io.with({ direction: 'out' }),
    };
  }

  /** False where this address may have no more connections. */
  admit(address: string): boolean {
    if (this.#refusedByProcess(address)) return false;
    const limit = this.connections.open(address, performance.now());
    if (limit === undefined) return true;
    this.#counters.refused.add(1);
    this.#limit(limit, address);
    return false;
  }

  /** The process is short of something: what it serves already comes first. */
  #refusedByProcess(address: string): boolean {
    const full = this.#connected >= this.#mostConnected;
    const limit = full ? 'descriptors' : this.#options.overload.cause;
    if (limit === undefined) return false;
    (full ? this.#counters.noDescriptors : this.#counters.overloaded).add(1);
    this.#limit(limit, address);
    return true;
  }

  get #connected(): number {
    const { streams, otherConnections } = this.#options;
    return streams.connected + this.loadBalancers.waiting + (otherConnections?.() ?? 0);
  }

  get #mostConnected(): number {
    const { descriptorLimit, config } = this.#options;
    // a process that may have few of them keeps half of them for connections
    return descriptorLimit - Math.min(config().limits.process.reservedDescriptors, descriptorLimit / 2);
  }

  /** What is used of what the process has least of; from 1 on nobody is taken in. */
  get load(): number {
    return Math.max(this.#connected / this.#mostConnected, this.#options.overload.load);
  }

  /** Makes room: a tenth of the strangers goes, those who came first. */
  shed(cause: OverloadCause): void {
    const { streams } = this.#options;
    for (let left = Math.ceil(streams.unauthenticated / 10); left > 0; left--) {
      const oldest = streams.oldestUnauthenticated as Stream;
      this.onLimit(oldest, cause);
      oldest.error(new StreamError('resource-constraint', 'The server is overloaded: try again later.'));
    }
  }

  accept(transport: Transport, direct: boolean): Stream {
    const { streams } = this.#options;
    const stream = new Stream(transport, this);
    streams.add(stream);
    (direct ? this.#counters.tls : this.#counters.tcp).add(1);
    this.#shedOldest();
    return stream;
  }

  /** Strangers may hold a share of the descriptors; beyond it the one that came first goes. */
  #shedOldest(): void {
    const { streams, descriptorLimit, config } = this.#options;
    const most = (descriptorLimit * config().limits.connections.unauthenticatedPercent) / 100;
    if (streams.unauthenticated <= most) return;
    const oldest = streams.oldestUnauthenticated;
    if (oldest === undefined) return;
    this.onLimit(oldest, 'unauthenticated-total');
    oldest.cut('too many connections have not authenticated');
  }

  // --- StreamHost -------------------------------------------------------------------------------------------------

  domain(name: string): string | undefined {
    return this.#options.domain(name);
  }

  /** Reading them out of the configuration takes long, and they are asked for with every stream. */
  get settings(): StreamSettings {
    const config = this.#options.config();
    if (this.#settings === undefined || this.#settingsOf !== config) {
      this.#settingsOf = config;
      this.#settings = this.#options.settings(config);
    }
    return this.#settings;
  }

  get limitsBefore(): XmlLimits {
    return this.settings.before;
  }

  get limitsAfter(): XmlLimits {
    return this.settings.after;
  }

  get timeouts(): StreamHost['timeouts'] {
    return this.settings.timeouts;
  }

  get acceptOldVersion(): boolean {
    return this.#options.config().authentication.legacy;
  }

  onWritten(count: number): void {
    this.#counters.bytesOut.add(count);
  }

  onBytes(stream: Stream, count: number): number {
    this.#counters.bytesIn.add(count);
    if (stream.unlimited) return 0;
    const rate = this.#options.rate?.(stream) ?? this.settings.bytes;
    if (rate.perSecond === Number.POSITIVE_INFINITY) return 0;
    const now = performance.now();
    let bucket = this.#buckets.get(stream);
    if (bucket === undefined) {
      bucket = new TokenBucket(rate, now);
      this.#buckets.set(stream, bucket);
    }
    const wait = bucket.take(count, rate, now);
    if (wait > 0) this.onLimit(stream, 'bytes-rate');
    return wait;
  }

  onAuthenticated(stream: Stream): void {
    this.#options.streams.authenticated(stream);
    this.connections.authenticated(stream.transport.remoteAddress);
  }

  onHandshake(stream: Stream, error?: unknown): void {
    const address = stream.transport.remoteAddress;
    const outcome = error === undefined ? 'completed' : error instanceof HandshakeTimeout ? 'timeout' : 'failed';
    this.#counters[outcome].add(1);
    if (outcome === 'timeout') this.onLimit(stream, 'handshake-time');
    else if (outcome === 'failed') this.#options.log.flood('tls.failed', { address, reason: String(error) });
  }

  onEnd(stream: Stream): void {
    this.#options.streams.remove(stream);
    this.#options.admission?.forget(stream);
  }

  onDisconnect(stream: Stream): void {
    this.#options.streams.disconnected(stream);
    this.connections.closed(stream.transport.remoteAddress, stream.identity !== undefined);
  }

  onFault(error: unknown, stream: Stream): void {
    this.#options.metrics.errors.add(1);
    this.#options.log.error('stream.fault', { error: error as Error, address: stream.transport.remoteAddress });
  }

  onError(stream: Stream, error: StreamError): void {
    this.#options.metrics.streamErrors.with({ condition: error.condition, direction: 'out' }).add(1);
    this.#options.log.debug('stream.error', {
      condition: error.condition,
      text: error.text,
      address: stream.transport.remoteAddress,
      account: stream.identity?.toString(),
    });
  }

  onLimit(stream: Stream, limit: LimitName): void {
    this.#limit(limit, stream.transport.remoteAddress, stream.identity?.toString());
  }

  #limit(limit: LimitName, address: string, account?: string): void {
    this.#options.metrics.limitsExceeded.with({ limit }).add(1);
    this.#options.log.flood('limit.exceeded', { limit, address: unmapped(address), account });
  }
}
