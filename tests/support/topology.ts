import { type Redis, startRedis } from '../services/redis.ts';

/** What the stories of a test run are told on: `PARLEY_TOPOLOGY`, the embedded keyspace where it is not set. */
export const topology = process.env.PARLEY_TOPOLOGY === 'redis' ? 'redis' : 'embedded';

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
