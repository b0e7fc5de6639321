import { Redis, type RedisOptions } from 'ioredis';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import type { RedisAddress } from './address.ts';

/** Milliseconds before the next attempt: from 20 to 1000, and never the same for all nodes. */
export function retryDelay(attempt: number): number {
  const longest = Math.min(1000, 20 * 2 ** Math.min(attempt - 1, 6));
  return Math.round(longest * (0.5 + Math.random() / 2));
}

/**
 * A client that does not connect yet, of one server (of a cluster, the first that is named). `delay` says how long it waits
 * before it connects again; it does not where it says null.
 */
export function makeClient(
  address: RedisAddress,
  options: KeyspaceOptions,
  deadline: number,
  delay: (attempt: number) => number | null,
): Redis {
  const { tls, username, password } = address;
  const common: RedisOptions = {
    username,
    password,
    tls: tls ? (options.tls ?? {}) : undefined,
    connectionName: options.node ? `parley:${options.node}` : 'parley',
    // Whoever issued a command decides whether it is sent again: only they know what a second time would do.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    enableReadyCheck: true,
    maxLoadingRetryTime: 500,
    keepAlive: 5000,
    noDelay: true,
    connectTimeout: 2000,
    // A connection that owes answers and gives none is dead.
    socketTimeout: deadline + 1000,
    disconnectTimeout: 500,
  };
  const where: RedisOptions =
    address.kind === 'sentinel'
      ? {
          sentinels: [...address.hosts],
          name: address.name,
          sentinelPassword: options.sentinelPassword,
          sentinelRetryStrategy: retryDelay,
          failoverDetector: true,
          enableTLSForSentinelMode: tls,
          sentinelTLS: tls ? (options.tls ?? {}) : undefined,
        }
      : { ...address.hosts[0], db: address.database };
  return new Redis({ ...common, ...where, lazyConnect: true, enableOfflineQueue: false, retryStrategy: delay });
}
