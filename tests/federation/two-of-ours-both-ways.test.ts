import { administerFederation } from '@parley/server/admin/federation-administration';
import { describe, expect, test, vi } from 'vitest';
import type { TestClient } from '../support/client.ts';
import type { TestServer } from '../support/server.ts';
import { twoServers } from './two-servers.ts';

const ROMEO = 'romeo@montague.example';
const JULIET = 'juliet@capulet.example';
const COUNT = 60;

const list = ({ node }: TestServer) => administerFederation(node.federation, node.domains).list();
const chat = (to: string, n: number) => `<message type='chat' to='${to}' id='${n}'><body>${n}</body></message>`;

/** The numbers that came until the last one did, each for the first time: what was not acknowledged may come again. */
async function numbers(client: TestClient): Promise<number[]> {
  const seen = new Set<number>();
  while (!seen.has(COUNT - 1))
    seen.add(Number((await client.take(({ name }) => name === 'message')).childText('body')));
  return [...seen];
}

describe.each(['certificate', 'certificate-or-dialback'] as const)('two servers by %s', (authentication) => {
  const start = async () => {
    const servers = await twoServers(authentication, { bidirectional: true });
    const romeo = await servers[0].online(`${ROMEO}/orchard`);
    const juliet = await servers[1].online(`${JULIET}/balcony`);
    romeo.send(chat(`${JULIET}/balcony`, 0));
    await juliet.take(({ name }) => name === 'message');
    return { servers, romeo, juliet };
  };

  test('have one stream, each direction of which is acknowledged', async () => {
    const { servers, romeo, juliet } = await start();
    juliet.send(chat(`${ROMEO}/orchard`, 0));
    await romeo.take(({ name }) => name === 'message');
    await vi.waitFor(() => {
      for (const each of servers)
        expect(list(each).outgoing).toMatchObject([{ stream: { sent: 1, unacknowledged: 0 } }]);
    });
    const [montague, capulet] = servers.map(list);
    expect(montague).toMatchObject({ outgoing: [{ stream: { kind: 'ours, both ways', received: 1 } }], incoming: [] });
    expect(capulet).toMatchObject({
      outgoing: [{ stream: { kind: 'theirs, both ways', tookUsBy: 'connection' } }],
      incoming: [{ bothWays: true, received: 1 }],
    });
    const [, { node }] = servers;
    expect(administerFederation(node.federation, node.domains).close('montague.example')).toBe(1);
  });

  test('lose nothing in either direction where it breaks, and it is made again', async () => {
    const { servers, romeo, juliet } = await start();
    const got = Promise.all([numbers(romeo), numbers(juliet)]);
    for (let n = 0; n < COUNT; n++) {
      romeo.send(chat(`${JULIET}/balcony`, n));
      juliet.send(chat(`${ROMEO}/orchard`, n));
      if (n % 20 !== 10) continue;
      await juliet.sync();
      for (const stream of servers[1].node.federation.servers.incoming.streams) stream.cut('the test cuts it');
    }
    const expected = Array.from({ length: COUNT }, (_, n) => n);
    expect(await got).toEqual([expected, expected]);
    expect(servers[0].log.filter(({ event }) => event === 's2s.connected').length).toBeGreaterThan(1);
  });
});
