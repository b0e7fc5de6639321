import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { openKeyspace } from './open.ts';
import { type BodyReply, defineOperation, toReply } from './operation.ts';

const folder = mkdtempSync(join(tmpdir(), 'parley-operation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function define(lua: string, js: () => BodyReply = () => null) {
  const file = join(folder, 'example.lua');
  writeFileSync(file, lua);
  return defineOperation({ name: 'example', lua: pathToFileURL(file), js, result: (reply) => reply });
}

test('a Lua body calls only what every keyspace has', () => {
  expect(define("return redis.call('hget', KEYS[1], 'a')").source).toContain('hget');
  expect(() => define("return redis.call('KEYS', '*')")).toThrow('example.lua calls KEYS, which no keyspace has');
  expect(() => define('return redis . pcall ( "flushall" )')).toThrow('calls flushall');
  expect(() => define('return redis.call(ARGV[1], KEYS[1])')).toThrow('as plain text');
});

test('a reply is what Redis makes of it', () => {
  expect(toReply('x', [1, 'a', true, false, null, undefined, [Buffer.from('b')]])).toEqual([
    1,
    Buffer.from('a'),
    1,
    null,
    null,
    null,
    [Buffer.from('b')],
  ]);
  expect(() => toReply('x', 1.5)).toThrow('x returned 1.5');
});

test('a fault in a body is told as misuse of unknown outcome', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  const faulty = define('return 1', () => {
    throw new RangeError('no such luck');
  });
  await expect(keyspace.call(faulty, ['a'])).rejects.toMatchObject({
    failure: 'misuse',
    outcome: 'unknown',
    message: 'example: no such luck',
  });
  await keyspace.close();
});
