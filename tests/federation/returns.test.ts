import { expect, onTestFinished, test } from 'vitest';
import { inTime } from '../support/in-time.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { until } from '../support/talking.ts';
import { startThreeNodes } from '../support/three-nodes.ts';

const NAMES = ['romeo', 'mercutio', 'benvolio'].map((name) => `${name}@localhost`);
/** Half of them are said when the first ones come back. */
const WORDS = 200;

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
  const say = (from: number, to: number) => {
    for (let n = from; n < to; n++) for (const client of clients) client.say('juliet@remote.example', `w${n}`);
  };
  say(0, WORDS / 2);

  const [first] = bounced as [string[], string[], string[]];
  const came = (done: () => boolean) =>
    inTime(
      new Promise<void>((resolve) => {
        more = () => done() && resolve();
        more();
      }),
      () => `So many came back: ${bounced.map((ids) => ids.length)}`,
    );
  await came(() => first.length > 0);
  say(WORDS / 2, WORDS); // whatever has come back by now: it is in the midst of it
  const owner = nodes.find(({ node }) => node.log.some(({ event }) => event === 's2s.failed'));
  await owner?.node.kill();
  const complete = () => bounced.every((ids) => new Set(ids).size === WORDS);
  await came(complete);
  // whoever comes later than the last one would come once more
  for (const client of clients) {
    client.say(client.jid, 'end');
    await until([client], () => client.heard.includes(`${client.jid} end`));
  }
  const all = Array.from({ length: WORDS }, (_, n) => `w${n}`);
  for (const ids of bounced) expect(ids.toSorted()).toEqual(all.toSorted());
});
