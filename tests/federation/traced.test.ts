import type { SpanData } from '@parley/opentelemetry/span-data';
import { Tracing } from '@parley/server/tracing/tracing';
import { expect, it } from 'vitest';
import { twoServers } from './two-servers.ts';

it('a stanza is followed up to the other server, which knows nothing of it', async () => {
  const spans: [SpanData[], SpanData[]] = [[], []];
  const tracings = spans.map((all) => new Tracing({ add: (span) => void all.push(span) }, 1));
  const [montague, capulet] = await twoServers('certificate-or-dialback', {}, tracings);
  const romeo = await montague.online('romeo@montague.example/orchard');
  const juliet = await capulet.online('juliet@capulet.example/balcony');
  romeo.send(`<message to='juliet@capulet.example/balcony' type='chat' id='1'><body>Call me but love</body></message>`);
  const got = await juliet.nextMessage();

  /** The trace of the message on one of the servers, by the names of its steps. */
  const traceOn = async (all: SpanData[]) => {
    const isRoot = ({ name, attributes }: SpanData) => name === 'xmpp.stanza' && attributes.includes('chat');
    await expect.poll(() => all.some(isRoot)).toBe(true);
    const root = all.find(isRoot) as SpanData;
    return { root, steps: all.filter(({ parentId }) => parentId === root.spanId).map(({ name }) => name) };
  };
  const [there, here] = [await traceOn(spans[0]), await traceOn(spans[1])];
  expect(there.root.attributes.slice(0, 2)).toEqual(['xmpp.connection.type', 'c2s']);
  expect(there.steps.filter((name) => name.startsWith('xmpp.'))).toEqual(['xmpp.parse', 'xmpp.queue', 'xmpp.route']);
  expect(here.root.attributes.slice(0, 2)).toEqual(['xmpp.connection.type', 's2s']);
  expect(here.steps.filter((name) => name.startsWith('xmpp.'))).toEqual(['xmpp.parse', 'xmpp.route', 'xmpp.write']);
  expect(here.root.traceId).not.toBe(there.root.traceId);
  for (const { root } of [there, here]) expect(got.toString()).not.toContain(root.traceId);
  for (const tracing of tracings) tracing[Symbol.dispose]();
});
