import { openKeyspace } from '@parley/keyspace/open';
import type { SpanData } from '@parley/opentelemetry/span-data';
import { expect, it, onTestFinished } from 'vitest';
import { ManagedSession } from '../../../../tests/support/managed-session.ts';
import { keyspaceSpans } from '../tracing/keyspace-spans.ts';
import { Trace } from '../tracing/trace.ts';
import { ResumptionStore } from './resumption/resumption-store.ts';

function traced() {
  const spans: SpanData[] = [];
  const trace = new Trace({ add: (span) => void spans.push(span) }, 'xmpp.stanza', 'server', performance.now());
  return { trace, writes: () => spans.filter(({ name }) => name.startsWith('keyspace')).length };
}

it('a write of the journal belongs to the stanza that it is for, whoever is just being written', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:', { observer: keyspaceSpans('embedded') });
  onTestFinished(() => keyspace.close());
  const store = new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  const juliet = await new ManagedSession({ store }).open();
  const [first, third] = [traced(), traced()];
  const done: Promise<unknown>[] = [];
  const say = async (id: string, k: number) => juliet.say(id, k);
  // the first write is under way when the second and the third are asked for; those two are one
  done.push(Promise.resolve(first.trace.run(() => say('1', 1))));
  await Promise.resolve();
  done.push(say('2', 2));
  done.push(Promise.resolve(third.trace.run(() => say('3', 3))));
  await Promise.all(done);
  expect((await juliet.journal())?.entries).toEqual(['1 1', '2 2', '3 3']);
  expect([first.writes(), third.writes()]).toEqual([1, 0]);

  const [before, after] = [traced(), traced()];
  const waits = [Promise.resolve(before.trace.run(() => say('4', 4)))];
  await Promise.resolve();
  waits.push(Promise.resolve(after.trace.run(() => say('5', 5))));
  await Promise.all(waits);
  expect([before.writes(), after.writes()]).toEqual([1, 1]);
});
