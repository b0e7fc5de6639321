import { type Bus, EVERY_NODE } from '../bus.ts';
import type { Keyspace } from '../keyspace.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import { Trouble } from '../trouble.ts';
import { readAddress } from './address.ts';
import { makeClient, retryDelay } from './client.ts';
import { Link } from './link.ts';
import { RedisBus } from './redis-bus.ts';
import { RedisKeyspace } from './redis-keyspace.ts';
import { channelOf } from './script.ts';

/** A server that refuses us will do so again: it is asked this often, in milliseconds. */
const REFUSED_DELAY = 5000;

/** Resolves when Redis answers, rejects where it refuses us or does not answer in time. */
export async function openRedis(url: string, options: KeyspaceOptions): Promise<{ keyspace: Keyspace; bus: Bus }> {
  const { node, observer = {}, deadline = 5000, connectDeadline = 10_000 } = options;
  const address = readAddress(url);
  const cluster = address.kind === 'cluster';
  const trouble = new Trouble();
  trouble.set(new KeyspaceError('away', 'Redis has not answered yet.'));
  const delay = (attempt: number) => (trouble.reason?.failure === 'refused' ? REFUSED_DELAY : retryDelay(attempt));
  const client = makeClient(address, options, deadline, delay);
  const opening = Promise.withResolvers<void>();
  const link = new Link(client, {
    trouble,
    observer,
    deadline,
    maxPendingBytes: options.maxPendingBytes ?? 16 * 1024 * 1024,
    channels: node === undefined ? [] : [channelOf(node), channelOf(EVERY_NODE)],
    cluster,
    replicas: cluster ? 0 : (options.replicas ?? 0),
    // A connection that fails is tried again until the deadline; one that is refused would be refused again.
    failed: (reason) => reason.failure === 'refused' && opening.reject(unreachable(reason)),
  });
  const keyspace = new RedisKeyspace(link, trouble, observer);
  const bus = new RedisBus(client, keyspace, link, cluster);
  const stop = link.onLink((event) => event === 'up' && opening.resolve());
  const timer = setTimeout(() => opening.reject(unreachable(trouble.reason)), connectDeadline);
  client.connect().catch(() => {}); // The link hears of it, and the client connects again by itself.
  try {
    await opening.promise;
  } catch (error) {
    await keyspace.close();
    throw error;
  } finally {
    clearTimeout(timer);
    stop();
  }
  return { keyspace, bus };
}

function unreachable(reason: KeyspaceError | undefined): KeyspaceError {
  return new KeyspaceError(reason?.failure ?? 'away', `Redis cannot be reached. ${reason?.message ?? ''}`);
}
