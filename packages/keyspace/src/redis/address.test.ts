import { expect, test } from 'vitest';
import { KeyspaceError } from '../keyspace-error.ts';
import { readAddress } from './address.ts';

const plain = { tls: false, username: undefined, password: undefined, database: 0, name: '' };

test.each([
  ['redis://localhost', { ...plain, kind: 'single', hosts: [{ host: 'localhost', port: 6379 }] }],
  ['redis://10.0.0.1:7000/3', { ...plain, kind: 'single', hosts: [{ host: '10.0.0.1', port: 7000 }], database: 3 }],
  ['rediss://[::1]:7000/', { ...plain, kind: 'single', hosts: [{ host: '::1', port: 7000 }], tls: true }],
  [
    'redis://parley:p%40ss:w@r.example',
    { ...plain, kind: 'single', hosts: [{ host: 'r.example', port: 6379 }], username: 'parley', password: 'p@ss:w' },
  ],
  ['redis://:secret@r', { ...plain, kind: 'single', hosts: [{ host: 'r', port: 6379 }], password: 'secret' }],
  [
    'redis+sentinel://a,b:1,c/chat',
    {
      ...plain,
      kind: 'sentinel',
      hosts: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 1 },
        { host: 'c', port: 26379 },
      ],
      name: 'chat',
    },
  ],
  [
    'rediss+cluster://:x@a:7000,b',
    {
      ...plain,
      kind: 'cluster',
      tls: true,
      password: 'x',
      hosts: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
      ],
    },
  ],
])('%s', (url, address) => {
  expect(readAddress(url)).toEqual(address);
});

test.each([
  ['redis:localhost', 'cannot be read'],
  ['redis://', 'cannot be read'],
  ['redis://a,b', 'several hosts'],
  ['redis://a/x', "the database 'x'"],
  ['redis+sentinel://a,b', 'the name that the sentinels know it by'],
  ['redis+cluster://a/1', 'a cluster has only one'],
  ['redis://a:b:c', "the host 'a:b:c'"],
  ['redis://:%zz@a', 'write % as %25'],
])('%s is refused', (url, words) => {
  expect(() => readAddress(url)).toThrow(KeyspaceError);
  expect(() => readAddress(url)).toThrow(words);
});

test.each(['redis://u:geheim@', 'redis://u:geheim@a,b', 'redis://u:geheim@a/x'])('%s keeps its secret', (url) => {
  const refuse = () => {
    try {
      readAddress(url);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refuse()).toContain('The address of Redis');
  expect(refuse()).not.toContain('geheim');
});
