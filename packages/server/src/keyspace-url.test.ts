import { expect, it } from 'vitest';
import { defaultConfiguration } from './config/schema.ts';
import { keyspaceUrl } from './keyspace-url.ts';

const urlOf = (url: string, password?: string) => {
  const config = defaultConfiguration();
  return keyspaceUrl({ ...config, keyspace: { ...config.keyspace, url, password } });
};

it.each([
  ['embedded:data', undefined, 'embedded:data'],
  ['embedded:data', 'of no use', 'embedded:data'],
  ['redis://host:6379/1', undefined, 'redis://host:6379/1'],
  ['redis://host:6379/1', 'p@ss:/word', 'redis://:p%40ss%3A%2Fword@host:6379/1'],
  ['rediss://parley@host', 'secret', 'rediss://parley:secret@host'],
  ['redis+sentinel://user:old@one,two/name', 'new', 'redis+sentinel://user:new@one,two/name'],
])('%s with the password %s', (url, password, whole) => {
  expect(urlOf(url, password)).toBe(whole);
});
