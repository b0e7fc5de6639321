import type { Bus } from './bus.ts';
import { openEmbedded } from './embedded/open-embedded.ts';
import type { Keyspace } from './keyspace.ts';
import { KeyspaceError } from './keyspace-error.ts';
import type { KeyspaceOptions } from './keyspace-options.ts';

export interface Opened {
  keyspace: Keyspace;
  bus: Bus;
}

/**
 * Opens the keyspace that a URL names: `embedded:DIR` (in this process, durable in DIR), `embedded::memory:` (in memory
 * alone), `redis://host:port/database`, `rediss://…` with TLS, `redis+sentinel://host1,host2/name`,
 * `redis+cluster://host1,host2`. Rejects with a KeyspaceError whose message says what an operator can do.
 */
export async function openKeyspace(url: string, options: KeyspaceOptions = {}): Promise<Opened> {
  if (url.startsWith('embedded:')) {
    const directory = url.slice('embedded:'.length);
    if (directory === '') throw new KeyspaceError('refused', 'embedded: needs a directory after it: embedded:./data');
    return openEmbedded(directory === ':memory:' ? undefined : directory, options);
  }
  if (/^rediss?[:+]/.test(url)) {
    // Who works without Redis does not load its client.
    const { openRedis } = await import('./redis/open-redis.ts');
    return openRedis(url, options);
  }
  const forms = 'embedded:DIR, redis://…, rediss://…, redis+sentinel://… or redis+cluster://…';
  throw new KeyspaceError('refused', `The address of the keyspace has none of these forms: ${forms}`);
}
