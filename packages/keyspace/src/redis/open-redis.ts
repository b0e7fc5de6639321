import type { Bus } from '../bus.ts';
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
  const trouble = new Trouble();
  trouble.set(new KeyspaceError('away', 'Redis has not answered yet.'));
  const delay = (attempt: number) => (trouble.reason?.failure === 'refused' ? REFUSED_DELAY : retryDelay(attempt));
  const client = makeClient(address, options, deadline, delay);
  const link = new Link(client, {
    trouble,
    observer,
    deadline,
    maxPendingBytes: options.maxPendingBytes ?? 16 * 1024 * 1024,
    channel: node === undefined ? undefined : channelOf(node),
    cluster: address.kind === 'cluster',
  });
  const keyspace = new RedisKeyspace(link, trouble, observer);
  const bus = new RedisBus(client, keyspace, link);
  try {
    await opened(link, trouble, connectDeadline, () => client.connect());
  } catch (error) {
    await keyspace.close();
    throw error;
  }
  return { keyspace, bus };
}

function opened(link: Link, trouble: Trouble, deadline: number, connect: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: KeyspaceError) => {
      clearTimeout(timer);
      stop();
      if (error) reject(error);
      else resolve();
    };
    const tell = () => {
      const reason = trouble.reason;
      end(new KeyspaceError(reason?.failure ?? 'away', `Redis cannot be reached: ${reason?.message ?? 'no answer'}`));
    };
    const timer = setTimeout(tell, deadline);
    const stop = link.onLink((event) => event === 'up' && end());
    // A first attempt that fails is not the end: the client tries again by itself, unless it was refused.
    connect().catch(() => trouble.reason?.failure === 'refused' && tell());
  });
}
