import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { Database } from './database.ts';
import { openEmbedded } from './open-embedded.ts';
import { RecordWriter } from './record.ts';
import { writeStored } from './stored-value.ts';

function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'parley-disk-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const file = (directory: string) => join(directory, 'keyspace.sqlite');

/** Changes the file behind the keyspace's back. */
function tamper(directory: string, sql: string): void {
  const database = new DatabaseSync(file(directory));
  database.exec(sql);
  database.close();
}

async function withRows(directory: string, count: number): Promise<void> {
  const { keyspace } = await openEmbedded(directory, {});
  for (let index = 1; index <= count; index += 1) await keyspace.rpush('l', String(index));
  await keyspace.close();
}

test('a second process is told which directory is taken and what to do', async () => {
  const directory = freshDirectory();
  const { keyspace } = await openEmbedded(directory, {});
  const module = new URL('./open-embedded.ts', import.meta.url);
  const program = `const { openEmbedded } = await import(${JSON.stringify(module)});
    await openEmbedded(${JSON.stringify(directory)}, {}).catch((error) => console.log(error.failure, error.message));`;
  const arguments_ = ['--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, arguments_);
  expect(stdout).toContain(`refused The data directory ${directory} is in use by another process. Stop that one first`);
  await expect(openEmbedded(directory, {})).rejects.toMatchObject({ failure: 'refused' });
  expect(await keyspace.set('a', '1')).toBe(true);
  await keyspace.close();
  const again = await openEmbedded(directory, {});
  expect(String(await again.keyspace.get('a'))).toBe('1');
  await again.keyspace.close();
});

test('nobody else may read what is stored', async () => {
  const directory = join(freshDirectory(), 'new', 'data');
  const { keyspace } = await openEmbedded(directory, {});
  await keyspace.set('a', '1');
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  for (const name of ['keyspace.sqlite', 'keyspace.sqlite-wal']) {
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  }
  await keyspace.close();
});

test('a last row that is broken is left out and told of', async () => {
  const directory = freshDirectory();
  await withRows(directory, 3);
  tamper(directory, "UPDATE log SET row = x'00' WHERE seq = 3");
  const warnings: string[] = [];
  const opened = await openEmbedded(directory, { observer: { warning: (message) => warnings.push(message) } });
  expect((await opened.keyspace.lrange('l', 0, -1)).map(String)).toEqual(['1', '2']);
  expect(warnings).toEqual([expect.stringContaining(`The last row of the log in ${directory} is broken`)]);
  await opened.keyspace.rpush('l', 'new');
  await opened.keyspace.close();
  const again = await openEmbedded(directory, {});
  expect((await again.keyspace.lrange('l', 0, -1)).map(String)).toEqual(['1', '2', 'new']);
  await again.keyspace.close();
});

// The key 'a', and an element to be taken off a list that is not there.
const unfit = Buffer.from([1, 1, 0x61, 9, 1]);
const senseless = Buffer.from([99]);

test.each([
  ['a broken row', "UPDATE log SET row = x'00' WHERE seq = 2", 'row 2 of its log is broken'],
  ['a missing row', 'DELETE FROM log WHERE seq = 2', 'row 2 of its log is missing'],
  ['a missing beginning', 'DELETE FROM log WHERE seq = 1', 'row 1 of its log is missing'],
  ['a broken value', "INSERT INTO kv VALUES (x'61', 1, 0, x'00')", 'the value of a is broken'],
  [
    'a row that fits nothing',
    `INSERT INTO log VALUES (4, ${crc32(unfit)}, x'${unfit.toString('hex')}')`,
    'no 1 elements',
  ],
  ['a row that means nothing', `INSERT INTO log VALUES (4, ${crc32(senseless)}, x'63')`, 'An effect without a key'],
])('%s is refused in words', async (_, sql, words) => {
  const directory = freshDirectory();
  await withRows(directory, 3);
  tamper(directory, sql);
  await expect(openEmbedded(directory, {})).rejects.toMatchObject({ failure: 'damaged' });
  await expect(openEmbedded(directory, {})).rejects.toThrow(words);
});

test('what is no store of ours is refused in words', async () => {
  const garbage = freshDirectory();
  writeFileSync(file(garbage), 'this is not a database, and it is longer than the header of one'.repeat(10));
  await expect(openEmbedded(garbage, {})).rejects.toMatchObject({ failure: 'damaged' });
  const newer = freshDirectory();
  await withRows(newer, 1);
  tamper(newer, 'PRAGMA user_version = 2');
  await expect(openEmbedded(newer, {})).rejects.toThrow('has format 2, and this version reads format 1 only');
});

test('a full disk fails writes, leaves reads, loses nothing, and when there is room again all goes on', async () => {
  const directory = freshDirectory();
  const { keyspace, disk } = await openEmbedded(directory, { maxBytes: 600_000 });
  const value = 'x'.repeat(10_000);
  let stored = 0;
  let failure: unknown;
  while (failure === undefined && stored < 1000) {
    await keyspace.rpush('l', value).then(
      () => {
        stored += 1;
      },
      (error) => {
        failure = error;
      },
    );
  }
  expect(failure).toMatchObject({ failure: 'full', outcome: 'not-executed' });
  expect((failure as Error).message).toContain(`There is no room left for the data directory ${directory}`);
  expect(stored).toBeGreaterThan(5);
  expect(keyspace.state).toBe('down');
  expect(await keyspace.llen('l')).toBe(stored);
  await expect(keyspace.set('a', '1')).rejects.toMatchObject({ failure: 'full', outcome: 'not-executed' });

  const up = new Promise((resolve) => keyspace.onState(resolve));
  disk?.limit(0);
  expect(await up).toBe('up');
  expect(await keyspace.rpush('l', 'last')).toBe(stored + 1);
  await keyspace.close();
  const again = await openEmbedded(directory, {});
  expect(await again.keyspace.llen('l')).toBe(stored + 1);
  expect((await again.keyspace.lrange('l', -1, -1)).map(String)).toEqual(['last']);
  await again.keyspace.close();
});

test('snapshots keep the log short, whatever is written meanwhile', async () => {
  const directory = freshDirectory();
  const { keyspace } = await openEmbedded(directory, { snapshotBytes: 10_000 });
  for (let round = 0; round < 200; round += 1) {
    const key = `k${round % 40}`;
    await Promise.all([
      keyspace.hset(key, [[`f${round}`, 'x'.repeat(100)]]),
      keyspace.rpush('l', String(round)),
      round % 3 === 0 ? keyspace.del(`k${(round * 7) % 40}`) : keyspace.zadd('z', round, key),
    ]);
  }
  const before = await Promise.all(Array.from({ length: 40 }, (_, index) => keyspace.hgetall(`k${index}`)));
  const list = await keyspace.lrange('l', 0, -1);
  const sorted = await keyspace.zrangebyscore('z', { min: 0, max: 1000 });
  await keyspace.close();

  const database = new Database({ directory, durability: 'process', maxBytes: 0 });
  expect(database.truncated).toBeGreaterThan(100);
  expect([...database.rows(() => {})].length).toBe(200 - database.truncated);
  database.close();

  const again = (await openEmbedded(directory, {})).keyspace;
  expect(await Promise.all(Array.from({ length: 40 }, (_, index) => again.hgetall(`k${index}`)))).toEqual(before);
  expect(await again.lrange('l', 0, -1)).toEqual(list);
  expect(await again.zrangebyscore('z', { min: 0, max: 1000 })).toEqual(sorted);
  await again.close();
});

test('a stored value that holds part of the log already does not get it twice', async () => {
  const directory = freshDirectory();
  const database = new Database({ directory, durability: 'process', maxBytes: 0 });
  const row = (list: string, value: string) => {
    const writer = new ByteWriter();
    const record = new RecordWriter(writer);
    record.listPush(list, value);
    record.listPush('other', value);
    return new Uint8Array(writer.take());
  };
  database.append([1, 2, 3].map((seq) => ({ seq, row: row('l', String(seq)) })));
  const value = new ByteWriter();
  value.varint(0);
  writeStored(value, ['1', '2']);
  database.store([{ key: Buffer.from('l'), seq: 2, value: new Uint8Array(value.take()) }]);
  database.store([{ key: Buffer.from('removed'), seq: 2, value: undefined }]);
  database.close();
  const { keyspace } = await openEmbedded(directory, {});
  expect((await keyspace.lrange('l', 0, -1)).map(String)).toEqual(['1', '2', '3']);
  expect((await keyspace.lrange('other', 0, -1)).map(String)).toEqual(['1', '2', '3']);
  await keyspace.close();
});

test('times are absolute: what ends while nobody runs is gone', async () => {
  const directory = freshDirectory();
  let clock = 1_000_000;
  const options = { now: () => clock };
  const first = await openEmbedded(directory, options);
  await first.keyspace.set('short', '1', { px: 1000 });
  await first.keyspace.set('long', '1', { px: 10_000 });
  await first.keyspace.hset('late', [['f', '1']]);
  await first.keyspace.pexpire('late', 5000);
  await first.keyspace.close();
  clock += 1000;
  const second = await openEmbedded(directory, options);
  expect(await second.keyspace.get('short')).toBeUndefined();
  expect(String(await second.keyspace.get('long'))).toBe('1');
  clock += 4000;
  expect(await second.keyspace.hset('late', [['g', '1']])).toBe(1);
  expect(await second.keyspace.hlen('late')).toBe(1);
  await second.keyspace.close();
  const third = await openEmbedded(directory, options);
  clock += 100_000;
  expect([...(await third.keyspace.hgetall('late')).keys()]).toEqual(['g']);
  expect(await third.keyspace.get('long')).toBeUndefined();
  await third.keyspace.close();
});

test('what is over is removed though nobody asks for it', async () => {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ['setInterval', 'Date'] });
  const { keyspace } = await openEmbedded(freshDirectory(), {});
  await Promise.all(Array.from({ length: 3000 }, (_, index) => keyspace.set(`k${index}`, 'x', { px: 500 })));
  expect(keyspace.size).toBe(3000);
  vi.advanceTimersByTime(1000);
  vi.advanceTimersByTime(1000);
  vi.useRealTimers();
  expect(keyspace.size).toBe(0);
  await keyspace.close();
});
