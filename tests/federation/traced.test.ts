import { expect, it } from 'vitest';
import { attributesOf, Traces } from '../support/traces.ts';
import { twoServers } from './two-servers.ts';

const ROMEO = 'romeo@montague.example/orchard';
const JULIET = 'juliet@capulet.example/balcony';

it('a stanza is followed to the bytes for the other server, which knows nothing of it', async () => {
  const [there, here] = [new Traces(), new Traces()];
  const servers = await twoServers('certificate-or-dialback', {}, [there.tracing, here.tracing]);
  const romeo = await servers[0].online(ROMEO);
  const juliet = await servers[1].online(JULIET);
  romeo.send(`<message to='${JULIET}' type='chat' id='1'><body>Call me but love</body></message>`);
  const got = await juliet.nextMessage();
  const [left, came] = [await there.stanza('chat', 'c2s'), await here.stanza('chat', 's2s')];
  const write = await there.step(left, 'xmpp.write');
  expect(there.steps(left)).toEqual(['xmpp.parse', 'xmpp.queue', 'xmpp.route', 'xmpp.write']);
  expect(here.steps(came)).toEqual(['xmpp.parse', 'xmpp.route', 'xmpp.write']);
  // there was no stream, and the sender did not wait for one
  expect(attributesOf(write)).toMatchObject({ 'xmpp.connection.type': 's2s' });
  expect(write.endedAt).toBeGreaterThanOrEqual(left.endedAt);
  // all of it is on one machine: nothing has come before it had gone
  expect(came.startedAt).toBeGreaterThan(write.startedAt);
  expect((await here.step(came, 'xmpp.parse')).startedAt).toBe(came.startedAt);
  expect(came.traceId).not.toBe(left.traceId);
  for (const { traceId } of [left, came]) expect(got.toString()).not.toContain(traceId);
});

it('so is what comes back on the same stream, and what goes out there', async () => {
  const traces = [new Traces(), new Traces()] as const;
  const tracings = traces.map(({ tracing }) => tracing);
  const servers = await twoServers('certificate', { bidirectional: true }, tracings);
  const romeo = await servers[0].online(ROMEO);
  const juliet = await servers[1].online(JULIET);
  romeo.send(`<message to='${JULIET}' type='chat' id='1'><body>Call me but love</body></message>`);
  await juliet.nextMessage();
  juliet.send(`<message to='${ROMEO}' type='headline' id='2'><body>My ears have not yet drunk</body></message>`);
  await romeo.nextMessage();
  const left = await traces[1].stanza('headline', 'c2s');
  await traces[1].step(left, 'xmpp.write');
  expect(traces[1].steps(left)).toEqual(['xmpp.parse', 'xmpp.queue', 'xmpp.route', 'xmpp.write']);
  const came = await traces[0].stanza('headline', 's2s');
  const parse = await traces[0].step(came, 'xmpp.parse');
  await traces[0].step(came, 'xmpp.write');
  expect(traces[0].steps(came)).toEqual(['xmpp.parse', 'xmpp.route', 'xmpp.write']);
  expect(parse.startedAt).toBe(came.startedAt);
  expect(parse.endedAt).toBeGreaterThan(parse.startedAt);
  expect(servers.map(({ log }) => log.filter(({ event }) => event === 's2s.accepted').length)).toEqual([0, 1]); // one stream
});
