import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { Installation } from '../support/process.ts';
import { manyAccounts } from './many-accounts.ts';

const COUNT = 50_000;

it('takes 50,000 accounts in and out with little memory', async () => {
  const ours = new Installation();
  await ours.start();
  const [file, back] = [join(ours.folder, 'in.xml'), join(ours.folder, 'out.xml')];
  await pipeline(Readable.from(manyAccounts(COUNT)), createWriteStream(file)); // 120 MB
  const little = { NODE_OPTIONS: '--max-old-space-size=64' };
  const { code, stdout } = await ours.parley(['import', file], undefined, little);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^50000 accounts: made\n/)]);
  const out = await ours.parley(['export', back], undefined, little);
  expect(out.stderr.endsWith(`${COUNT} accounts written.\n`)).toBe(true);
});
