import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Chat } from '../support/chat.ts';
import { appearOver, logIn } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { collect, Ledger } from './ledger.ts';
import { SmallDisk } from './small-disk.ts';

const WAIT = 'wait resource-constraint';

async function ready(node: RunningParley): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${node.port('http')}/health/ready`);
  return `${answer.status} ${await answer.text()}`;
}

it('is for one node at a time: the second is told so and ends', async () => {
  const installation = new Installation();
  await installation.accounts('romeo@localhost');
  const node = await installation.start();
  const socket = join(installation.folder, 'other.sock');
  installation.configure({ admin: { socket } });
  const { code, stderr } = await installation.parley(['start']);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^The data directory \S+ is in use by another process\. Stop that one first[^\n]*\n$/),
  ]);
  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  expect(await romeo.sync()).toEqual([]);
});

it('is refused in words where it is no directory', async () => {
  const installation = new Installation();
  const file = join(installation.folder, 'file');
  writeFileSync(file, '');
  installation.configure({ keyspace: { url: `embedded:${file}` } });
  const { code, stderr } = await installation.parley(['start']);
  expect([code, stderr]).toEqual([1, expect.stringContaining(file)]);
  expect(stderr).not.toContain('    at ');
});

it('is refused in words where nothing can be written', async () => {
  const disk = SmallDisk.mount(8);
  const folder = disk?.folder ?? mkdtempSync(join(tmpdir(), 'parley-'));
  const installation = new Installation({ keyspace: { url: `embedded:${folder}` } });
  await installation.accounts('romeo@localhost');
  if (disk) disk.readOnly();
  else chmodSync(folder, 0o500); // who may not mount is not root, and bound by this
  for (const args of [['start'], ['account', 'add', 'juliet@localhost']]) {
    const { code, stderr } = await installation.parley(args, 'secret\n');
    expect([args, code, stderr]).toEqual([args, 1, expect.stringContaining(folder)]);
    expect(stderr).not.toContain('    at ');
  }
});

it('may be full and have room again, under a running node', async () => {
  const disk = SmallDisk.mount(8);
  if (disk === undefined) return; // the same is tested with a keyspace that may only grow so far
  const installation = new Installation({ keyspace: { url: `embedded:${disk.folder}/data` } });
  await installation.accounts(...['romeo', 'juliet', 'nurse', 'benvolio'].map((name) => `${name}@localhost`));
  const node = await installation.start();
  const port = node.port('c2s');
  const romeo = await appearOver(port, 'romeo@localhost/orchard');
  const chat = new Chat(romeo, await appearOver(port, 'juliet@localhost/balcony'));
  const ledger = new Ledger(await appearOver(port, 'benvolio@localhost/square'), 'nurse@localhost');
  await ledger.write();

  disk.fill();
  while (ledger.refused.length === 0) await ledger.write(10_000);
  expect(await ready(node)).toContain('503 ');
  await chat.goesOn();
  disk.empty();
  await recovery(ledger);
  expect(await ready(node)).toContain('200 ');
  await chat.goesOn();
  await chat.end();
  expect(new Set(ledger.refused)).toEqual(new Set([WAIT]));

  await node.kill();
  const again = await installation.start();
  expect(await collect(await logIn(again.port('c2s'), 'nurse@localhost/hall'))).toEqual(ledger.acknowledged);
});

/** Writes until it is taken again. */
async function recovery(ledger: Ledger): Promise<void> {
  const before = ledger.acknowledged.length;
  while (ledger.acknowledged.length === before) await ledger.write();
}
