import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { expect, it, onTestFinished } from 'vitest';
import { ResumptionStore } from './resumption-store.ts';

const newSid = () => randomBytes(8).toString('hex');
const header = (handled = 0) => ({ handled, origins: new Map<string, number>() });
const entry = (out: number) => ({ out, origin: undefined, at: out, text: `<message id='${out}'/>` });
const open = (keyspace: Keyspace) =>
  new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });

it('has everything again after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-restart-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const account = Jid.parse('romeo@montague.lit');
  const sids = [newSid(), newSid()] as const;
  const records = sids.map((sid, index) => ({
    resource: `orchard-${index}`,
    sid,
    epoch: 1,
    maxSeconds: 60,
    carbons: false,
    interested: true,
    receiving: true,
    inactive: true,
    boundAt: 1_700_000_000_000,
    presence: undefined,
    directed: [],
    mechanism: 'PLAIN',
  }));
  const first = await openKeyspace(`embedded:${directory}`);
  const store = open(first.keyspace);
  for (const record of records) {
    await store.open(account, record, header());
    await store.append(account, record.sid, 1, [1, 2, 3].map(entry));
    await store.checkpoint(account, record.sid, 1, header(5), 1);
  }
  await store.takeOver(account, 'orchard-0', sids[0], 1, header(6), [entry(3)]);
  await store.end(account, 'orchard-1', sids[1], 1);
  await first.keyspace.close();

  const { keyspace } = await openKeyspace(`embedded:${directory}`);
  onTestFinished(() => keyspace.close());
  const again = open(keyspace);
  expect(await Array.fromAsync(again.all())).toEqual([
    [{ account, record: { ...records[0], epoch: 2 }, owner: store.owner }],
  ]);
  expect(await again.read(account, sids[0])).toMatchObject({ header: { handled: 6 }, entries: [entry(3)] });
  const waiting = {
    jid: account.withResource('orchard-1'),
    sid: sids[1],
    owner: store.owner,
    entries: [2, 3].map(entry),
  };
  expect(await Array.fromAsync(again.unfinished())).toEqual([waiting]);
  expect(await again.lastHandled(account, sids[1])).toBe(5);
});
