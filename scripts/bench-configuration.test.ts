import { configurationSchema } from '@parley/server/config/schema';
import { expect, test } from 'vitest';
import { benchConfiguration } from './bench-configuration.ts';

test('the configuration for measuring is a valid one', () => {
  const options = { port: 5222, keyspace: 'redis://127.0.0.1:6379', durability: 'process', folder: '/tmp' };
  const { limits, tls, registration } = configurationSchema().parse(benchConfiguration(options));
  expect(limits.stanzas.perSecond).toBe(Number.POSITIVE_INFINITY);
  expect(limits.connections.perAddress).toBe(Number.POSITIVE_INFINITY);
  expect(tls.required).toBe(false);
  expect(registration.inBand).toBe(true);
});
