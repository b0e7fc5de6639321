import { expect, onTestFinished, test } from 'vitest';
import { ManagedClient } from '../support/managed-client.ts';
import { startThreeNodes } from '../support/three-nodes.ts';

const NAMES = ['romeo', 'mercutio', 'benvolio'].map((name) => `${name}@localhost`);
const WORDS = 100;

test('what does not go out comes back to everybody once, though the node dies that returns it', async () => {
  const federation = {
    enabled: true,
    peers: [{ domain: 'remote.example', connectTo: '127.0.0.1:1' }],
    queue: { seconds: 5 },
    retry: { firstSeconds: 1, maxSeconds: 2 },
  };
  const nodes = await startThreeNodes(NAMES, { federation }, { s2s: [], s2sTls: [] });
  const bounced = NAMES.map((): string[] => []);
  let more = () => {};
  const clients = NAMES.map((name, index) => {
    let at = index;
    const port = (): number => {
      const { node, port: found } = nodes[at++ % nodes.length] as (typeof nodes)[number];
      return node.alive ? found : port();
    };
    const observer = {
      bounced: (id: string) => {
        bounced[index]?.push(id);
        more();
      },
    };
    return new ManagedClient(`${name}/managed`, port, { observer });
  });
  onTestFinished(() => {
    for (const client of clients) client.stop();
  });
  for (const client of clients) await client.start();
  for (let n = 0; n < WORDS; n++) for (const client of clients) client.say('juliet@remote.example', `w${n}`);

  const [first] = bounced as [string[], string[], string[]];
  const came = (done: () => boolean) =>
    new Promise<void>((resolve) => {
      more = () => done() && resolve();
    });
  await came(() => first.length > 0);
  const owner = nodes.find(({ node }) => node.log.some(({ event }) => event === 's2s.failed'));
  await owner?.node.kill();
  const atDeath = bounced.map(({ length }) => length);
  expect(Math.max(...atDeath)).toBeLessThan(WORDS); // it was in the midst of it

  const complete = () => bounced.every((ids) => new Set(ids).size === WORDS);
  if (!complete()) await came(complete);
  // whoever comes later than the last one would come once more
  for (const client of clients) {
    client.say(client.jid, 'end');
    while (!client.heard.includes(`${client.jid} end`)) await client.changed();
  }
  const all = Array.from({ length: WORDS }, (_, n) => `w${n}`);
  for (const ids of bounced) expect(ids.toSorted()).toEqual(all.toSorted());
});
