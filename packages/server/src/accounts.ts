import type { Keyspace } from '@parley/keyspace/keyspace';
import { AccountStore } from './auth/account-store.ts';
import { InternalAuthenticator } from './auth/internal.ts';
import { KeptCounts } from './auth/kept-counts.ts';
import { INTERNAL } from './config/directory.ts';
import type { Configuration } from './config/schema.ts';
import type { Module } from './module.ts';

export interface AccountsOptions {
  readonly keyspace: Keyspace;
  readonly modules: readonly Module[];
  /** What nodes derive from their shared secret (32 bytes). */
  secret(purpose: string): Buffer;
  config(): Configuration;
}

/** The accounts that the server keeps itself, with everything that modules keep of an account. */
export function internalAccounts({ keyspace, modules, secret, config }: AccountsOptions): InternalAuthenticator {
  return new InternalAuthenticator({
    store: new AccountStore(
      keyspace,
      modules.flatMap((module) => module.keys ?? []),
    ),
    secret: secret('false verifiers of unknown accounts'),
    iterations: () => config().authentication.iterations,
    counts: new KeptCounts(keyspace, INTERNAL),
  });
}
