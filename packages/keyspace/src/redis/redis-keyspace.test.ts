import { afterAll, beforeAll } from 'vitest';
import { type Redis, startRedis } from '../../../../tests/services/redis.ts';
import { openKeyspace } from '../open.ts';
import { conformance } from '../testing/conformance.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

conformance('redis', (options) => openKeyspace(redis.url, options));
