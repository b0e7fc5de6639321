import { openKeyspace } from '@parley/keyspace/open';
import type { SpanData } from '@parley/opentelemetry/span-data';
import { expect, it } from 'vitest';
import { keyspaceSpans } from './keyspace-spans.ts';
import { Trace } from './trace.ts';

it('records each call of what is traced, and no other', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:', { observer: keyspaceSpans('embedded') });
  const spans: SpanData[] = [];
  const trace = new Trace({ add: (span) => void spans.push(span) }, 'xmpp.stanza', 'server', performance.now());
  await keyspace.set('{1}a', 'before');
  await trace.run(async () => {
    await keyspace.get('{1}a');
    await keyspace.batch([['del', '{1}a']], { atomic: true });
    await keyspace.rpush('{1}l', 'x');
    await keyspace.get('{1}l').catch(() => {}); // it is a list
  });
  await keyspace.close();
  expect(spans.map(({ name, kind, failed }) => [name, kind, failed])).toEqual([
    ['keyspace get', 'client', false],
    ['keyspace batch', 'client', false],
    ['keyspace rpush', 'client', false],
    ['keyspace get', 'client', true],
    ['xmpp.stanza', 'server', false],
  ]);
  expect(spans[3]?.attributes).toEqual([
    ...['db.system.name', 'embedded', 'db.operation.name', 'get'],
    ...['error.type', 'misuse'],
  ]);
});
