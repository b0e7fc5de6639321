import { createHmac, randomBytes } from 'node:crypto';
import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { Jid } from '@parley/xmpp/jid';
import type { Configuration } from './config/schema.ts';

export const clusterSecretKeys = declareKeys({
  name: 'cluster-secret',
  scope: 'global',
  type: 'string',
  content: 'the secret from which all others are derived, where the configuration gives none (embedded)',
  bound: '32 bytes',
  ttl: 'none',
});

/**
 * Gives secrets for purposes, 32 bytes each, the same on every node: derived from the one that the configuration
 * gives, or that an embedded keyspace made when it was new.
 */
export async function clusterSecret(config: Configuration, keyspace: Keyspace): Promise<(purpose: string) => Buffer> {
  const shared = config.cluster.secret ?? (await kept(keyspace));
  return (purpose) => createHmac('sha256', shared).update(purpose).digest();
}

async function kept(keyspace: Keyspace): Promise<Buffer> {
  const key = clusterSecretKeys.key();
  const before = await keyspace.get(key);
  if (before !== undefined) return before;
  const made = randomBytes(32);
  await keyspace.set(key, made);
  return made;
}

/** The virtual domains in the form in which addresses have them. */
export function servedDomains(config: Configuration): string[] {
  return config.domains.map(({ name }) => Jid.parse(name).domain);
}
