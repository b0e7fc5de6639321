import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Configuration } from '../config/schema.ts';
import type { OverloadCause } from '../net/overload.ts';
import { Acceptance } from '../stream/acceptance.ts';
import { StreamFeatures } from '../stream/features.ts';
import { peerError } from '../stream/peer-error.ts';
import { startTls } from '../stream/starttls.ts';
import type { Stream } from '../stream/stream.ts';
import type { StreamSettings } from '../stream/stream-settings.ts';
import { Streams } from '../stream/streams.ts';
import { Acknowledging } from './acknowledging.ts';
import { Bidirectional } from './bidirectional.ts';
import { Dialback } from './dialback.ts';
import { PeerSasl } from './external.ts';
import type { IncomingHost } from './incoming-host.ts';
import { IncomingStream } from './incoming-stream.ts';
import { KeyRequests } from './key-requests.ts';
import { tlsSuffices } from './policy.ts';
import { serverRole } from './server-role.ts';
import { limitsElement } from './stream-limits.ts';

export interface IncomingOptions extends Omit<IncomingHost, 'config'> {
  readonly config: () => Configuration;
  readonly overload: { readonly cause: OverloadCause | undefined; readonly load: number };
  readonly descriptorLimit: number;
  /** Connections of this process that are not of other servers. */
  otherConnections(): number;
}

/** How often streams are looked at that may be idle. */
const TICK_MS = 5000;

/** The streams that other servers begin. */
export class IncomingStreams implements Disposable {
  readonly streams = new Streams();
  readonly acceptance: Acceptance;
  readonly #options: IncomingOptions;
  readonly #incoming = new WeakMap<Stream, IncomingStream>();
  readonly host: IncomingHost;
  readonly #ticking: NodeJS.Timeout;

  constructor(options: IncomingOptions) {
    const { config, metrics, log, verifier } = options;
    this.#options = options;
    this.host = { ...options, config: () => config().federation };
    const features = new StreamFeatures();
    features.add(peerError((condition) => metrics.streamErrors.with({ condition, direction: 'in' }).add(1)));
    features.add(startTls((stream) => !this.#suffices(stream, undefined)));
    const incoming = (stream: Stream) => this.of(stream);
    const bidirectional = new Bidirectional(this.host, incoming);
    features.add(bidirectional);
    features.add({ ns: NS.bidiFeature, advertise: (stream) => bidirectional.offer(stream) });
    features.add(new PeerSasl(incoming));
    features.add(new Acknowledging(incoming, this.host));
    features.add({ ns: NS.streamLimits, advertise: (stream) => this.#limits(stream) });
    const requests = new KeyRequests(verifier, () => config().federation.limits.unverifiedPerStream);
    const dialback = new Dialback(this.host, requests, incoming);
    features.add(dialback);
    features.add({ ns: NS.dialbackFeature, advertise: (stream) => dialback.offer(stream) });
    this.acceptance = new Acceptance({
      role: serverRole({
        refusal: (domain) => this.#refusal(domain),
        prepare: (stream, domain) => this.#prepare(stream, domain),
      }),
      settings: serverSettings,
      rate: (stream) => this.#rate(stream),
      config,
      metrics,
      log,
      features,
      streams: this.streams,
      overload: options.overload,
      descriptorLimit: options.descriptorLimit,
      otherConnections: options.otherConnections,
      domain: (name) => (options.serves(name) ? name : undefined),
    });
    const { streams } = this;
    measureIncoming(metrics, streams);
    this.#ticking = setInterval(() => this.#closeIdle(), TICK_MS).unref();
  }

  of(stream: Stream): IncomingStream {
    let incoming = this.#incoming.get(stream);
    if (incoming === undefined) {
      incoming = new IncomingStream(stream, this.host);
      this.#incoming.set(stream, incoming);
    }
    return incoming;
  }

  /** Whether a stream is encrypted as well as whoever it claims to be from has to. */
  #suffices(stream: Stream, protocol: string | undefined): boolean {
    return tlsSuffices(this.#options.policy(this.of(stream).claimed ?? ''), protocol);
  }

  #refusal(domain: string): StreamError | undefined {
    // nobody else speaks for our domains, and nobody is to talk to itself
    if (this.#options.serves(domain)) return new StreamError('invalid-from', 'This domain is served here.');
    if (this.#options.policy(domain).allow) return undefined;
    this.#options.log.flood('s2s.refused', { remote: domain, reason: 'the policy closes this server to it' });
    return new StreamError('policy-violation', 'Your domain is not welcome here.');
  }

  async #prepare(stream: Stream, domain: string | undefined): Promise<void> {
    const incoming = this.of(stream);
    const { identity } = stream;
    if (identity !== undefined) incoming.returns?.allow(stream.domain, identity.domain);
    else incoming.bothWays = undefined; // what was agreed on without encryption is no more
    incoming.claimed = domain;
    incoming.verdict = undefined;
    const protocol = stream.transport.tls?.protocol;
    if (domain === undefined || protocol === undefined || !this.#suffices(stream, protocol)) return;
    incoming.verdict = await incoming.verdictFor(domain);
  }

  /** XEP-0478 */
  #limits({ identity }: Stream): Element | undefined {
    if (identity === undefined) return undefined;
    const { maxStanzaBytes } = this.#options.policy(identity.domain);
    return limitsElement(maxStanzaBytes, this.host.config().timeouts.idleSeconds);
  }

  #rate(stream: Stream): StreamSettings['bytes'] | undefined {
    if (stream.identity === undefined) return undefined;
    const { limits } = this.host.config();
    return { perSecond: this.#options.policy(stream.identity.domain).bytesPerSecond, burst: limits.bytesBurst };
  }

  #closeIdle(): void {
    const { idleSeconds } = this.host.config().timeouts;
    const before = performance.now() - idleSeconds * 1000;
    for (const stream of this.streams) {
      // who is not read cannot be heard; whatever comes shows that somebody is there (XEP-0478)
      stream.silence = stream.reading ? stream.silence + TICK_MS / 1000 : 0;
      const silent = stream.silence > idleSeconds && this.of(stream).activeAt < before;
      if (stream.identity !== undefined && silent) stream.close('nothing came for a long time');
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticking);
  }
}

/** What the configuration says of streams of other servers. */
export function serverSettings({ stream, federation }: Configuration): StreamSettings {
  const { beforeAuthentication: before, afterAuthentication: after, maxNameBytes: maxNameLength } = stream;
  const { limits, timeouts } = federation;
  return {
    before: { ...before, maxBytes: before.maxElementBytes, maxNameLength },
    after: { ...after, maxBytes: limits.maxStanzaBytes, maxNameLength },
    timeouts: {
      authenticateMs: timeouts.negotiationSeconds * 1000,
      bindMs: timeouts.negotiationSeconds * 1000,
      closeMs: stream.closeTimeoutSeconds * 1000,
    },
    bytes: { perSecond: limits.bytesPerSecond, burst: limits.bytesBurst },
  };
}

/** Whoever has proved a domain may speak for it: to be authenticated is all that there is between servers. */
function measureIncoming({ federationStreams, streams: kinds }: IncomingOptions['metrics'], streams: Streams): void {
  const open = () => streams.size - streams.unauthenticated;
  federationStreams.with({ direction: 'in', state: 'negotiating' }).observe(() => streams.unauthenticated);
  federationStreams.with({ direction: 'in', state: 'open' }).observe(open);
  kinds.with({ kind: 's2s-in', state: 'negotiating' }).observe(() => streams.unauthenticated);
  kinds.with({ kind: 's2s-in', state: 'authenticated' }).observe(open);
  kinds.with({ kind: 's2s-in', state: 'closing' }).observe(() => streams.connected - streams.size);
}
