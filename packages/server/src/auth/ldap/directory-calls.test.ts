import { Registry } from '@parley/metrics/registry';
import type { SpanData } from '@parley/opentelemetry/span-data';
import { expect, it } from 'vitest';
import { Trace } from '../../tracing/trace.ts';
import { observeCalls } from './directory-calls.ts';
import { DirectoryAway } from './directory-error.ts';
import type { DirectoryServers } from './directory-servers.ts';

it('counts what is asked, and follows what is traced', async () => {
  const { metrics } = new Registry();
  const spans: SpanData[] = [];
  const trace = new Trace({ add: (span) => void spans.push(span) }, 'xmpp.stanza', 'server', performance.now());
  const observe = observeCalls('corp', () => ({}) as DirectoryServers, metrics);
  const fails = () => Promise.reject(new DirectoryAway('It is not there.'));
  await observe('search', async () => 1);
  await trace.run(async () => {
    expect(await observe('search', async () => 2)).toBe(2);
    await expect(observe('password', fails)).rejects.toThrow('It is not there.');
  });
  expect(spans.map(({ name, kind, failed, attributes }) => [name, kind, failed, attributes])).toEqual([
    ['directory search', 'client', false, ['parley.directory', 'corp']],
    ['directory password', 'client', true, ['parley.directory', 'corp', 'error.type', 'away']],
    ['xmpp.stanza', 'server', false, []],
  ]);
  expect(metrics.directoryCalls.with({ operation: 'search', outcome: 'answered' }).value).toBe(2);
  expect(metrics.directoryCalls.with({ operation: 'password', outcome: 'away' }).value).toBe(1);
});
