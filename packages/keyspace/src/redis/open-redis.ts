import { type Bus, EVERY_NODE } from '../bus.ts';
import type { Keyspace, KeyspaceState } from '../keyspace.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import { Trouble } from '../trouble.ts';
import { type HostPort, type RedisAddress, readAddress } from './address.ts';
import { makeClient, retryDelay } from './client.ts';
import { ClusterConnection } from './cluster-connection.ts';
import type { Connection } from './connection.ts';
import { DomainReplicas } from './domain-replicas.ts';
import { Link, type LinkOptions } from './link.ts';
import { RedisBus } from './redis-bus.ts';
import { RedisKeyspace } from './redis-keyspace.ts';
import { toKeyspaceError } from './reply-error.ts';
import { channelOf } from './script.ts';
import { StricterConnection } from './stricter-connection.ts';

/** A server that refuses us will do so again: it is asked this often, in milliseconds. */
const REFUSED_DELAY = 5000;

/** Resolves when Redis answers, rejects where it refuses us or does not answer in time. */
export async function openRedis(url: string, options: KeyspaceOptions): Promise<{ keyspace: Keyspace; bus: Bus }> {
  const { observer = {}, connectDeadline = 10_000 } = options;
  const address = readAddress(url);
  const trouble = new Trouble();
  trouble.set(new KeyspaceError('away', 'Redis has not answered yet.'));
  const opening = Promise.withResolvers<void>();
  const heard: Heard = {
    push: (frame) => bus.push(frame),
    // A connection that fails is tried again until the deadline; one that is refused would be refused again.
    failed: (reason) => reason.failure === 'refused' && opening.reject(unreachable(reason)),
  };
  const domainReplicas = new DomainReplicas(options.domainReplicas);
  const usual = connect(address, options, trouble, heard);
  const connection = withStricter(usual, domainReplicas, address, options, heard);
  const keyspace = new RedisKeyspace({ connection, trouble, observer, domainReplicas });
  const bus = new RedisBus(keyspace, connection, address.kind === 'cluster');
  const stop = connection.onLink((event) => event === 'up' && opening.resolve());
  const timer = setTimeout(() => opening.reject(unreachable(trouble.reason)), connectDeadline);
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

/** Other connections for those who wait for other numbers of replicas than all others. */
function withStricter(
  usual: Connection,
  { counts }: DomainReplicas,
  address: RedisAddress,
  options: KeyspaceOptions,
  heard: Heard,
): Connection {
  const others = new Map<number, Connection>();
  for (const replicas of counts) {
    if (replicas === (options.replicas ?? 0)) continue;
    const trouble = new Trouble();
    trouble.set(new KeyspaceError('away', 'Redis has not answered yet.'));
    const whose = `the domains that wait for ${replicas} replicas of Redis`;
    const domains = [...(options.domainReplicas ?? [])].flatMap(([domain, count]) =>
      count === replicas ? [domain] : [],
    );
    const tell = (state: KeyspaceState) => {
      for (const domain of domains) options.observer?.domainState?.(domain, state);
    };
    tell('down');
    let told = false;
    trouble.listen((state, reason) => {
      tell(state);
      if (state === 'down') options.observer?.warning?.(`Nothing can be kept for ${whose}: ${reason?.message}`);
      else if (told) options.observer?.warning?.(`Everything is kept again for ${whose}.`);
      told ||= state === 'down';
    });
    const { node: _, ...rest } = options; // frames come on the usual connection
    others.set(replicas, connect(address, { ...rest, replicas }, trouble, heard));
  }
  return others.size === 0 ? usual : new StricterConnection(usual, others);
}

type Heard = Pick<LinkOptions, 'push' | 'failed'>;

function connect(address: RedisAddress, options: KeyspaceOptions, trouble: Trouble, heard: Heard): Connection {
  const { node } = options;
  const channels = node === undefined ? [] : [channelOf(node), channelOf(EVERY_NODE)];
  if (address.kind !== 'cluster') return linkTo(address, options, { ...heard, trouble, channels });
  const at = (host: HostPort): RedisAddress => ({ ...address, kind: 'single', hosts: [host] });
  const cluster = new ClusterConnection({
    trouble,
    channels,
    connect(host, shard) {
      const own = new Trouble();
      own.set(trouble.reason ?? new KeyspaceError('away', 'This server of the cluster has not answered yet.'));
      own.listen(shard.onChange);
      return linkTo(at(host), options, { ...heard, trouble: own, channels: [], shard });
    },
    askAny: () => slotsOfAny(address.hosts.map(at), options, trouble, heard),
  });
  cluster.look();
  return cluster;
}

type Other = 'observer' | 'deadline' | 'maxPendingBytes' | 'replicas';

function linkTo(address: RedisAddress, options: KeyspaceOptions, rest: Omit<LinkOptions, Other>): Link {
  const { observer = {}, deadline = 5000, maxPendingBytes = 16 * 1024 * 1024, replicas = 0 } = options;
  const { trouble } = rest;
  const delay = (attempt: number) => (trouble.reason?.failure === 'refused' ? REFUSED_DELAY : retryDelay(attempt));
  const client = makeClient(address, options, deadline, delay);
  const link = new Link(client, { ...rest, observer, deadline, maxPendingBytes, replicas });
  client.connect().catch(() => {}); // The link hears of it, and the client connects again by itself.
  return link;
}

/** CLUSTER SLOTS of the first of these servers that answers. */
async function slotsOfAny(
  addresses: readonly RedisAddress[],
  options: KeyspaceOptions,
  trouble: Trouble,
  { failed }: Heard,
): Promise<[reply: unknown, host: string]> {
  for (const address of addresses) {
    const client = makeClient(address, options, options.deadline ?? 5000, () => null);
    client.on('error', () => {}); // the command fails as well
    try {
      await client.connect();
      return [await client.call('CLUSTER', 'SLOTS'), address.hosts[0].host];
    } catch (error) {
      const reason =
        noCluster(error as Error) ?? toKeyspaceError('CLUSTER SLOTS', error as Error, true, 'not-executed');
      trouble.set(reason);
      failed(reason);
    } finally {
      client.disconnect();
    }
  }
  throw new Error('None of the servers of the Redis Cluster answers.');
}

function noCluster(error: Error): KeyspaceError | undefined {
  if (!error.message.includes('cluster support disabled')) return undefined;
  return new KeyspaceError('refused', 'This Redis is no cluster: write redis:// for it.');
}

function unreachable(reason: KeyspaceError | undefined): KeyspaceError {
  const { failure = 'away', message = '' } = reason ?? {};
  const cure = failure === 'refused' ? '' : ' See whether it runs, and whether its address is right.';
  return new KeyspaceError(failure, `Redis cannot be reached. ${message.replace(/[^.]$/, '$&.')}${cure}`);
}
