import { administerFederation } from '@parley/server/admin/federation-administration';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { clientOf, type XmppPeer } from '../services/xmpp-peer.ts';
import { startComponent } from '../support/component.ts';
import type { TestServer } from '../support/server.ts';
import { twoServers } from './two-servers.ts';
import { logged, OURS, World } from './world.ts';

const VERSION = `<query xmlns='${NS.version}'/>`;
const ALSO = 'verona.lit';

let world: World;
beforeAll(async () => {
  world = await World.make();
});
afterAll(() => world[Symbol.asyncDispose]());

const outgoing = ({ node }: TestServer) => administerFederation(node.federation, node.domains).list().outgoing;
const pairs = (server: TestServer) => outgoing(server).map(({ stream }) => stream?.pairs);
const chat = (to: string, text: string) => `<message type='chat' to='${to}'><body>${text}</body></message>`;

describe('pairs of domains that may share a stream', () => {
  let ejabberd: XmppPeer;
  let prosody: XmppPeer;
  beforeAll(async () => {
    ejabberd = await world.peer('ejabberd', 'several.lit', true, { also: 'further.lit' });
    prosody = await world.peer('Prosody', 'single.lit');
  });

  const start = async (peer: XmppPeer) => {
    const server = await world.server({
      also: ALSO,
      certificate: world.certificates.of(OURS, ALSO),
      federation: { shareStreams: true },
    });
    const romeo = await server.online(`romeo@${OURS}/here`);
    const nurse = await server.online(`nurse@${ALSO}/here`);
    const juliet = await clientOf(peer, 'juliet');
    for (const client of [romeo, nurse]) client.send(chat(juliet.jid, client.jid));
    const came = new Set([(await juliet.nextMessage()).attr('from'), (await juliet.nextMessage()).attr('from')]);
    expect(came).toEqual(new Set([romeo.jid, nurse.jid]));
    for (const client of [romeo, nurse]) {
      juliet.send(chat(client.jid, 'back'));
      expect((await client.nextMessage(juliet.jid)).childText('body')).toBe('back');
    }
    return { server, romeo, nurse };
  };

  it('do, where the other side is ejabberd: several of ours, and several of its', async () => {
    const { server, romeo, nurse } = await start(ejabberd);
    expect(pairs(server)).toEqual([2, 2]);
    for (const client of [romeo, nurse]) {
      expect((await client.request('get', VERSION, 'further.lit')).attr('type')).toBe('result');
    }
    expect(pairs(server)).toEqual([4, 4, 4, 4]);
    expect(new Set(logged(server, 's2s.connected').map(({ remote }) => remote)).size).toBe(2);
  });

  it('do not where it is Prosody, which does not say that it can refuse one alone', async () => {
    const { server } = await start(prosody);
    expect(pairs(server)).toEqual([1, 1]);
  });
});

describe.each(['certificate', 'certificate-or-dialback'] as const)(
  'with another one of ours, by %s',
  (authentication) => {
    test('what users and components say goes on one stream, and is answered', async () => {
      const [montague, capulet] = await twoServers(authentication, { shareStreams: true });
      const component = await startComponent(montague, 'irc.montague.example');
      const romeo = await montague.online('romeo@montague.example/orchard');
      const juliet = await capulet.online('juliet@capulet.example/balcony');
      romeo.send(chat('juliet@capulet.example', 'one'));
      component.send(
        `<message from='romeo@irc.montague.example' to='juliet@capulet.example'><body>two</body></message>`,
      );
      const bodies = new Set<string | undefined>();
      while (bodies.size < 2) bodies.add((await juliet.take(({ name }) => name === 'message')).childText('body'));
      expect(bodies).toEqual(new Set(['one', 'two']));
      expect(pairs(montague)).toEqual([2, 2]);
      // nobody is there: a third pair
      const answer = await romeo.request('get', VERSION, 'irc.capulet.example');
      expect(answer.attr('type')).toBe('error');
      expect(pairs(montague)).toEqual([3, 3, 3]);
      const { federation, domains } = capulet.node;
      const { incoming } = administerFederation(federation, domains).list();
      expect(incoming.map(({ remotes }) => [...remotes].sort())).toEqual([
        ['irc.montague.example', 'montague.example'],
      ]);
      await component.close();
    });
  },
);
