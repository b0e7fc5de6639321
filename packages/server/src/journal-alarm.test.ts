import { partition } from '@parley/keyspace/key';
import { openKeyspace } from '@parley/keyspace/open';
import { Registry } from '@parley/metrics/registry';
import { expect, it, onTestFinished } from 'vitest';
import { JULIET, ManagedSession, turns } from '../../../tests/support/managed-session.ts';
import { journalSweeps } from './journal-alarm.ts';
import { Log } from './log.ts';
import { ResumptionStore } from './session/resumption/resumption-store.ts';

it('counts and logs what a trim has taken away that nobody counted, once', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const store = new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  const juliet = await new ManagedSession({ store }).open();
  const registry = new Registry();
  const lines: { event: string }[] = [];
  const log = Log.create({ level: 'info', output: { write: (line) => lines.push(JSON.parse(line)) } });
  await using alarm = journalSweeps({
    keyspace,
    sweepSeconds: 60,
    id: 'a',
    node: { cluster: undefined },
    registry,
    log,
  });
  const sweep = () => alarm.look(partition(JULIET.bareText));
  const counted = () => registry.snapshot().values['parley.journal.unaccounted'];

  for (const id of ['1', '2', '3']) await juliet.say(id);
  juliet.management.acknowledge(1);
  await juliet.management.backlog.journal.write();
  await sweep();
  await sweep();
  expect([counted(), lines]).toEqual([{}, []]);

  // the next one takes one more along than was acknowledged
  const { write } = store;
  store.write = (account, journal, what) => write.call(store, account, journal, { ...what, trim: what.trim + 1 });
  juliet.management.acknowledge(2);
  await juliet.management.backlog.journal.write();
  await turns();
  for (let time = 0; time < 4; time++) await sweep();
  expect(counted()).toEqual({ missing: 1 });
  expect(lines).toMatchObject([
    {
      event: 'journal.unaccounted',
      level: 'error',
      partition: partition(JULIET.bareText),
      kind: 'missing',
      stanzas: 1,
    },
  ]);
});
