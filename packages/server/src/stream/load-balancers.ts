import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { Networks } from '../net/networks.ts';
import { type ProxyAdmission, ProxyHeaderTimeout } from '../net/proxy-admission.ts';

export interface LoadBalancersOptions {
  readonly config: () => Configuration;
  readonly metrics: Metrics;
  readonly log: Log;
  /** False where the process is short of something; that is counted there. */
  hasRoom(address: string): boolean;
}

/** The load balancers that may say whose connections they hand on, and those of their connections that have not yet. */
export class LoadBalancers implements ProxyAdmission {
  readonly #options: LoadBalancersOptions;
  readonly #trusted: Networks;
  readonly #refused;
  #waiting = 0;

  constructor(options: LoadBalancersOptions) {
    this.#options = options;
    this.#trusted = new Networks(() => options.config().proxyProtocol.trustedNetworks);
    const { connectionsRefused } = options.metrics;
    this.#refused = {
      source: connectionsRefused.with({ cause: 'proxy-source' }),
      header: connectionsRefused.with({ cause: 'proxy-header' }),
    };
  }

  /** Connections whose header has not come. */
  get waiting(): number {
    return this.#waiting;
  }

  get headerTimeoutMs(): number {
    return this.#options.config().proxyProtocol.headerTimeoutSeconds * 1000;
  }

  expect(address: string): boolean {
    if (!this.#trusted.has(address)) {
      this.#refused.source.add(1);
      const reason = 'it is not in proxyProtocol.trustedNetworks';
      this.#options.log.flood('connection.refused', { address, reason });
      return false;
    }
    if (!this.#options.hasRoom(address)) return false;
    this.#waiting++;
    return true;
  }

  settle(address: string, failure?: Error): void {
    this.#waiting--;
    if (failure === undefined) return;
    const { metrics, log } = this.#options;
    this.#refused.header.add(1);
    if (failure instanceof ProxyHeaderTimeout) {
      metrics.limitsExceeded.with({ limit: 'proxy-header-time' }).add(1);
      log.flood('limit.exceeded', { limit: 'proxy-header-time', address });
    } else {
      log.flood('connection.refused', { address, reason: failure.message });
    }
  }
}
