import { expect, it, vi } from 'vitest';
import { peerAnd } from '../federation/writers.ts';
import { logIn } from '../support/network.ts';
import { Installation } from '../support/process.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';

it('tells about other servers', async () => {
  const installation = new Installation({
    federation: {
      enabled: true,
      peers: [{ domain: 'capulet.example', connectTo: '127.0.0.1:1' }],
      retry: { firstSeconds: 300, maxSeconds: 300 }, // so long it rests, however long commands take
    },
  });
  await installation.start();
  expect(await installation.parley(['s2s', 'list', '--json'])).toMatchObject({
    code: 0,
    stdout: `${JSON.stringify({ outgoing: [], incoming: [] }, null, 2)}\n`,
  });
  const explained = await installation.parley(['s2s', 'explain', 'capulet.example']);
  expect(explained.code).toBe(0);
  expect(explained.stdout).toContain('connecting to 127.0.0.1 port 1');
  expect(explained.stdout).toMatch(/It does not work\. Nobody listens at 127\.0\.0\.1 port 1\.\n$/);
  const connected = await installation.parley(['s2s', 'connect', 'capulet.example']);
  expect(connected).toMatchObject({ code: 1, stderr: 'Nobody listens at 127.0.0.1 port 1.\n' });
  expect((await installation.parley(['s2s', 'list'])).stdout).toMatch(
    /^localhost -> capulet\.example, resting, Nobody/,
  );
  expect((await installation.parley(['s2s', 'close', 'capulet.example'])).stdout).toBe('Closed 0 streams.\n');
  expect((await installation.parley(['s2s', 'explain', 'localhost'])).stderr).toBe('localhost is served here.\n');
});

it('tells about all nodes, whichever is asked, and closes streams wherever they are', async () => {
  const { peer, config } = await peerAnd(true);
  const nodes = await startThreeNodes(['romeo@localhost'], config, { s2s: [], s2sTls: [] });
  const romeo = await logIn(nodes[1]?.port as number, 'romeo@localhost/a');
  romeo.send(`<message to='juliet@remote.example'><body>hello</body></message>`);
  await vi.waitFor(() => expect(peer.got.length).toBe(1));
  for (const { installation } of nodes) {
    const { stdout } = await installation.parley(['s2s', 'list']);
    expect(stdout).toMatch(/^\S+: localhost -> remote\.example, open, 127\.0\.0\.1 port \d+, [^\n]*\n$/);
  }
  const [asked] = nodes as [ClusterProcess];
  expect((await asked.installation.parley(['s2s', 'close', 'remote.example'])).stdout).toBe('Closed one stream.\n');
  const { node } = nodes[1] as ClusterProcess;
  await vi.waitFor(() => expect(node.log.some(({ event }) => event === 's2s.closed')).toBe(true));
});
