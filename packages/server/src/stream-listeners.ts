import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from './config/schema.ts';
import type { Log } from './log.ts';
import type { ServicePort } from './module.ts';
import { Listener } from './net/listener.ts';
import type { TcpTransport } from './net/tcp.ts';
import type { TlsAcceptor } from './net/tls.ts';
import type { Acceptance } from './stream/acceptance.ts';

/** Other servers are not behind load balancers that say whose connection it is. */
type ListenAddress = Configuration['listen']['s2s'][number] & { readonly proxyProtocol?: boolean };

interface Place {
  readonly name: string;
  readonly address: ListenAddress;
  accept(transport: TcpTransport): void;
  port: number;
  listener?: Listener;
}

export interface StreamListenersOptions {
  readonly listen: Configuration['listen'];
  /** Which of them, by the names in the configuration; those for clients where nothing is said. */
  readonly names?: readonly ('c2s' | 'c2sTls' | 's2s' | 's2sTls')[];
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
  readonly #places: Place[] = [];
  readonly #onClose: (() => void)[] = [];

  constructor(options: StreamListenersOptions) {
    this.#options = options;
    const { listen, names = ['c2s', 'c2sTls'] as const, acceptance } = options;
    for (const name of names) {
      const direct = name.endsWith('Tls');
      const accept = (transport: TcpTransport) => {
        const stream = acceptance.accept(transport, direct);
        if (direct) void stream.startTls();
      };
      for (const address of listen[name]) this.#places.push({ name, address, accept, port: address.port });
    }
  }

  /** Opens these with the others, on the same terms. */
  add({ name, addresses, accept, onClose }: ServicePort): void {
    for (const address of addresses) this.#places.push({ name, address, accept, port: address.port });
    if (onClose !== undefined) this.#onClose.push(onClose);
  }

  /** What they listen on, by the name in the configuration. */
  get ports(): { name: string; port: number }[] {
    return this.#places.map(({ name, port }) => ({ name, port }));
  }

  /** Accepts; after a `close` again, on the same ports. */
  async open(): Promise<void> {
    for (const place of this.#places) {
      if (place.listener !== undefined) continue;
      const listener = this.#listener(place);
      await listener.listen();
      place.listener = listener;
      place.port = listener.port;
    }
  }

  #listener({ name, address, port, accept }: Place): Listener {
    const { acceptor, acceptance, log, listen } = this.#options;
    return new Listener({
      host: address.host,
      port,
      reusePort: listen.reusePort,
      acceptor,
      admit: (client) => acceptance.admit(client),
      proxy: address.proxyProtocol ? acceptance.loadBalancers : undefined,
      onTransport: accept,
      onError: (error) => log.flood('listener.error', { error, listener: name }),
    });
  }

  /** Stops accepting; what is connected stays. */
  close(): void {
    for (const place of this.#places) {
      place.listener?.close();
      delete place.listener;
    }
    for (const onClose of this.#onClose) onClose();
  }
}
