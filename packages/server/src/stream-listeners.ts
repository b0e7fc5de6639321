import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from './config/schema.ts';
import type { Log } from './log.ts';
import { Listener } from './net/listener.ts';
import type { TlsAcceptor } from './net/tls.ts';
import type { Acceptance } from './stream/acceptance.ts';

/** Other servers are not behind load balancers that say whose connection it is. */
type ListenAddress = Configuration['listen']['s2s'][number] & { readonly proxyProtocol?: boolean };

export interface StreamListenersOptions {
  readonly listen: Configuration['listen'];
  /** Which of them: the names in the configuration. */
  readonly names: readonly ('c2s' | 'c2sTls' | 's2s' | 's2sTls')[];
  readonly acceptor: TlsAcceptor;
  readonly acceptance: Acceptance;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Ports that are opened and closed together. */
export interface Doors {
  /** What they listen on, by the name in the configuration. */
  readonly ports: readonly { name: string; port: number }[];
  open(): Promise<void>;
  close(): void;
}

/** Several as one. */
export const allDoors = (...all: readonly Doors[]): Doors => ({
  get ports() {
    return all.flatMap(({ ports }) => ports);
  },
  async open() {
    for (const doors of all) await doors.open();
  },
  close() {
    for (const doors of all) doors.close();
  },
});

/** The ports on which clients connect, or other servers. */
export class StreamListeners implements Doors {
  readonly #options: StreamListenersOptions;
  readonly #places: { readonly name: string; readonly address: ListenAddress; port: number; listener?: Listener }[];

  constructor(options: StreamListenersOptions) {
    this.#options = options;
    const { listen, names } = options;
    this.#places = names.flatMap((name) =>
      listen[name].map((address: ListenAddress) => ({ name, address, port: address.port })),
    );
  }

  /** What they listen on, by the name in the configuration. */
  get ports(): { name: string; port: number }[] {
    return this.#places.map(({ name, port }) => ({ name, port }));
  }

  /** Accepts; after a `close` again, on the same ports. */
  async open(): Promise<void> {
    for (const place of this.#places) {
      if (place.listener !== undefined) continue;
      const listener = this.#listener(place.name, place.address, place.port);
      await listener.listen();
      place.listener = listener;
      place.port = listener.port;
    }
  }

  #listener(name: string, address: ListenAddress, port: number): Listener {
    const { acceptor, acceptance, log } = this.#options;
    const direct = name.endsWith('Tls');
    return new Listener({
      host: address.host,
      port,
      acceptor,
      admit: (client) => acceptance.admit(client),
      proxy: address.proxyProtocol ? acceptance.loadBalancers : undefined,
      onTransport: (transport) => {
        const stream = acceptance.accept(transport, direct);
        if (direct) void stream.startTls();
      },
      onError: (error) => log.flood('listener.error', { error, listener: name }),
    });
  }

  /** Stops accepting; what is connected stays. */
  close(): void {
    for (const place of this.#places) {
      place.listener?.close();
      delete place.listener;
    }
  }
}
