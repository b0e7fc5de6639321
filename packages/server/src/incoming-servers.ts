import type { Stanza } from '@parley/xmpp/stanza';
import type { Configuration } from './config/schema.ts';
import type { Hooks } from './hooks.ts';
import type { CertificateFiles } from './net/secure-context.ts';
import { TlsAcceptor, type TlsSettings } from './net/tls.ts';
import type { Awaitable } from './pipeline.ts';
import type { Router } from './routing/router.ts';
import type { Authorities } from './s2s/authorities.ts';
import { type IncomingOptions, IncomingStreams } from './s2s/incoming.ts';
import { drain } from './stream/drain.ts';
import { type Doors, StreamListeners } from './stream-listeners.ts';
import type { Tracing } from './tracing/tracing.ts';

export interface IncomingServersOptions extends Omit<IncomingOptions, 'process' | 'refuse' | 'serves'> {
  readonly hooks: Hooks;
  /** Asked each time: it is made after this. */
  router(): Router;
  errorFor(stanza: Stanza, error: unknown): Stanza | undefined;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** The ports on which other servers connect, and what becomes of what they send. */
export class IncomingServers implements Doors, Disposable {
  readonly incoming: IncomingStreams;
  readonly #options: IncomingServersOptions;
  #acceptor: TlsAcceptor | undefined;
  #listeners: StreamListeners | undefined;

  constructor(options: IncomingServersOptions) {
    this.#options = options;
    this.incoming = new IncomingStreams({
      ...options,
      serves: (domain) => options.router().serves(domain),
      process: (stanza, domain) => this.#trace(stanza, domain),
      refuse: (stanza, error) => this.#refuse(stanza, error),
    });
  }

  /** What they listen on, by the name in the configuration. */
  get ports(): { name: string; port: number }[] {
    return this.#listeners?.ports ?? [];
  }

  /** Throws a ConfigurationError, and changes nothing, where it is no good. */
  take(config: Configuration, files: ReadonlyMap<string, CertificateFiles>, authorities: Authorities): void {
    const settings = acceptorSettings(config, authorities);
    if (this.#acceptor !== undefined) {
      this.#acceptor.replace(settings, files);
      return;
    }
    const { metrics, log } = this.#options;
    const acceptor = new TlsAcceptor(settings, files);
    const { acceptance } = this.incoming;
    this.#acceptor = acceptor;
    const { listen } = config;
    this.#listeners = new StreamListeners({ listen, names: ['s2s', 's2sTls'], acceptor, acceptance, metrics, log });
  }

  /** Accepts; after a `close` again, on the same ports. */
  async open(): Promise<void> {
    await this.#listeners?.open();
  }

  /** Stops accepting; what is connected stays. */
  close(): void {
    this.#listeners?.close();
  }

  /** Closes all streams, and resolves when they are gone, or after so many milliseconds. */
  async drain(ms: number): Promise<void> {
    await drain(this.incoming.streams, this.#options.hooks.pending, ms);
  }

  /** Behind all modules: what none of them took goes its way, as they have left it. */
  endPipeline(): void {
    this.#options.hooks.fromServer.use('deliver', (stanza) => {
      const routed = this.#options.router().route(stanza);
      return routed instanceof Promise ? routed.then(() => true) : true;
    });
  }

  #trace(stanza: Stanza, domain: string): Awaitable<unknown> {
    const trace = this.#options.tracing?.begin(stanza, 's2s');
    return trace === undefined ? this.#process(stanza, domain) : trace.run(() => this.#process(stanza, domain));
  }

  #process(stanza: Stanza, domain: string): Awaitable<unknown> {
    const { hooks, log } = this.#options;
    if (log.traces) log.trace('stanza.received', { server: domain, xml: stanza.toString() });
    try {
      const taken = hooks.fromServer.run(stanza, { domain });
      if (!(taken instanceof Promise)) return taken;
      const done = taken.catch((error) => this.#refuse(stanza, error));
      hooks.pending.add(done);
      return done;
    } catch (error) {
      return this.#refuse(stanza, error);
    }
  }

  #refuse(stanza: Stanza, error: unknown): Awaitable<void> {
    const answer = this.#options.errorFor(stanza, error);
    if (answer !== undefined) return this.#options.router().route(answer);
  }

  [Symbol.dispose](): void {
    this.incoming[Symbol.dispose]();
  }
}

/** Who connects is asked for a certificate, and who vouches for it is looked at when it is known for which domain. */
function acceptorSettings({ tls, stream }: Configuration, authorities: Authorities): TlsSettings {
  return {
    minVersion: 'TLSv1.2', // more may be asked of a domain, and that is not known yet
    ciphers: tls.ciphers,
    handshakeTimeoutMs: stream.handshakeTimeoutSeconds * 1000,
    protocol: 'xmpp-server',
    clientAuthorities: authorities.all,
  };
}
