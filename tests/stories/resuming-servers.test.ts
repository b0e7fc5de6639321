import type { Node } from '@parley/server/node';
import { settled, showing } from '@parley/server/s2s/incoming-testing';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { beforeAll, expect, it } from 'vitest';
import { roster } from '../support/contacts.ts';
import { memoryLink } from '../support/memory-link.ts';
import { ResumingServer } from '../support/resuming-server.ts';
import { acknowledge, resumable, resume } from '../support/resumption.ts';
import { startServer, type TestServer } from '../support/server.ts';

const JULIET = 'juliet@localhost/balcony';
const ROMEO = 'romeo@montague.lit/orchard';

let show: Awaited<ReturnType<typeof showing>>;
beforeAll(async () => {
  show = await showing(['montague.lit']);
});

async function start() {
  const server = await startServer({
    config: {
      limits: { stanzas: { perSecond: 0, burst: 0, strangersPerHour: 0 } },
      federation: { enabled: true },
      listen: { c2s: [], c2sTls: [], components: [], http: [], s2s: [], s2sTls: [] },
    },
  });
  let node = 0;
  const montague = new ResumingServer(() =>
    memoryLink(server.nodes[node++ % server.nodes.length] as Node, 'montague.lit', 'localhost', show),
  );
  await montague.start();
  return { server, montague };
}

const say = (to: string, body: string) =>
  `<message from='${ROMEO}' to='${to}' type='chat' id='${body}'><body>${body}</body></message>`;

const bodies = (elements: readonly Element[]) =>
  elements.filter(({ name }) => name === 'message').map((element) => element.childText('body'));

/** What Benvolio finds when he comes, which is to be so many messages. */
async function stored(server: TestServer, count: number): Promise<(string | undefined)[]> {
  const benvolio = await server.client('benvolio@localhost/square');
  benvolio.send('<presence/>');
  const found: (string | undefined)[] = [];
  while (found.length < count) found.push((await benvolio.nextMessage()).childText('body'));
  await server.settled();
  return [...found, ...bodies(await benvolio.sync())];
}

it('a stream that is cut again and again brings everything once, in order, to each of its nodes', async () => {
  const { server, montague } = await start();
  const { client: juliet, got } = await resumable(server, JULIET);
  const nurse = await server.online('nurse@localhost/hall');
  await server.account('benvolio@localhost');
  const expected = Array.from({ length: 100 }, (_, number) => String(number));
  for (const body of expected) {
    for (const to of ['juliet@localhost', 'nurse@localhost', 'benvolio@localhost']) montague.send(say(to, body));
    if (Number(body) % 10 === 3) await montague.ask();
    if (Number(body) % 25 !== 9) continue;
    await settled();
    await montague.resume();
    acknowledge(juliet, got());
  }
  await montague.acknowledged();
  expect(montague.told.at(-1)).toBe(300);
  await server.settled();
  expect(bodies(await juliet.sync())).toEqual(expected);
  expect(bodies(await nurse.sync())).toEqual(expected);
  expect(await stored(server, expected.length)).toEqual(expected);
  const resumptions = server.log.filter(({ event }) => event === 's2s.resumed');
  expect(resumptions.map(({ from }) => from)).toEqual(Array(4).fill(server.nodes.length > 1 ? 'elsewhere' : 'here'));
});

it('what comes again since its node is gone, nobody gets twice who can tell', async () => {
  const { server, montague } = await start();
  const { client: juliet, id, got } = await resumable(server, JULIET);
  await roster(juliet);
  await server.account('benvolio@localhost');
  const stanzas = [
    say('juliet@localhost', 'one'),
    say('benvolio@localhost', 'one'),
    `<presence from='romeo@montague.lit' to='juliet@localhost' type='subscribe'/>`,
    `<iq from='${ROMEO}' to='${JULIET}' type='result' id='nobody asked'/>`,
    say('juliet@localhost', 'two'),
    say('benvolio@localhost', 'two'),
  ];
  const { origin } = spied(server);
  for (const stanza of stanzas) montague.send(stanza);
  await montague.acknowledged();
  await server.settled();
  // the same once more, as if nobody had taken down that it was done with
  for (const node of server.nodes)
    for (const stanza of [...origin]) await node.hooks.fromServer.run(stanza, { domain: 'montague.lit' });
  await server.settled();
  const heard = (await juliet.sync()).filter(({ ns }) => ns !== NS.streamManagement);
  const inWords = heard.map((each) => each.childText('body') ?? `${each.name} ${each.attr('type')}`);
  expect(inWords).toEqual(['one', 'presence subscribe', 'iq result', 'two']);
  juliet.break();
  const again = await resume(server, JULIET, id, got());
  expect((await again.client.sync()).filter(({ name }) => name === 'message')).toEqual([]);
  expect(await stored(server, 2)).toEqual(['one', 'two']);
});

/** What other servers send is taken down as it is taken. */
function spied(server: TestServer) {
  const origin: Parameters<TestServer['node']['hooks']['fromServer']['run']>[0][] = [];
  for (const { hooks } of server.nodes) hooks.fromServer.use('observe', (stanza) => void origin.push(stanza));
  return { origin };
}
