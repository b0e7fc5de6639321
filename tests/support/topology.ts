import { type Redis, startRedis } from '../services/redis.ts';

const TOPOLOGIES = ['embedded', 'redis', 'cluster'] as const;

type Topology = (typeof TOPOLOGIES)[number];

/**
 * What the stories of a test run are told on: `PARLEY_TOPOLOGY`. One node on the embedded keyspace where it is not set,
 * one on Redis, or several of them.
 */
export const topology: Topology = TOPOLOGIES.find((name) => name === process.env.PARLEY_TOPOLOGY) ?? 'embedded';

/** How many nodes a server of the tests has. */
export const nodeCount = topology === 'cluster' ? 3 : 1;

let redis: Promise<Redis> | undefined;
let databases = 0;

/** Databases of one Redis: each server that a test file starts gets an empty one. */
const MOST_DATABASES = 512;

/** The URL of a keyspace with nothing in it. */
export async function emptyKeyspace(): Promise<string> {
  if (topology === 'embedded') return 'embedded::memory:';
  redis ??= startRedis(['--databases', String(MOST_DATABASES)]);
  const { url } = await redis;
  return `${url}/${databases++}`;
}
