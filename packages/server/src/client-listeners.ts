import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from './config/schema.ts';
import type { Log } from './log.ts';
import { Listener } from './net/listener.ts';
import type { TlsAcceptor } from './net/tls.ts';
import type { Acceptance } from './stream/acceptance.ts';

type ListenAddress = Configuration['listen']['c2s'][number];

export interface ClientListenersOptions {
  readonly listen: Configuration['listen'];
  readonly acceptor: TlsAcceptor;
  readonly acceptance: Acceptance;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The ports on which clients connect. */
export class ClientListeners {
  readonly #options: ClientListenersOptions;
  readonly #listeners: { readonly name: string; readonly listener: Listener }[] = [];

  constructor(options: ClientListenersOptions) {
    this.#options = options;
  }

  /** What they listen on, by the name in the configuration. */
  get ports(): { name: string; port: number }[] {
    return this.#listeners.map(({ name, listener }) => ({ name, port: listener.port }));
  }

  async open(): Promise<void> {
    const { c2s, c2sTls } = this.#options.listen;
    for (const address of c2s) await this.#open('c2s', address, false);
    for (const address of c2sTls) await this.#open('c2sTls', address, true);
  }

  async #open(name: string, address: ListenAddress, direct: boolean): Promise<void> {
    const { acceptor, acceptance, log } = this.#options;
    const listener = new Listener({
      host: address.host,
      port: address.port,
      acceptor,
      admit: (client) => acceptance.admit(client),
      proxy: address.proxyProtocol ? acceptance.loadBalancers : undefined,
      onTransport: (transport) => {
        const stream = acceptance.accept(transport, direct);
        if (direct) void stream.startTls();
      },
      onError: (error) => log.flood('listener.error', { error, listener: name }),
    });
    await listener.listen();
    this.#listeners.push({ name, listener });
  }

  /** Stops accepting; what is connected stays. */
  close(): void {
    for (const { listener } of this.#listeners) listener.close();
  }
}
