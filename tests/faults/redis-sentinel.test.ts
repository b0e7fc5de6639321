import { OwnSentinel } from '@parley/keyspace/testing/own-sentinel';
import { it } from 'vitest';
import { talkThrough } from './several-redis.ts';

it('behind a sentinel, nodes find the replica that took the place of a primary that died', async () => {
  const redis = await OwnSentinel.start();
  await talkThrough(redis.url, () => redis.primary.kill());
});
