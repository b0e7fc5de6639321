import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from './services/redis.ts';
import { appearOver } from './support/network.ts';
import { Installation, type RunningParley } from './support/process.ts';

const SESSIONS = 20;

/** Nodes that are one server, each in a process of its own, all on this port. */
async function startOn(port: number, names: readonly string[], reusePort: boolean): Promise<Installation[]> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const installations = names.map(
    (name) =>
      new Installation({
        listen: {
          reusePort,
          c2s: [{ host: '127.0.0.1', port }],
          c2sTls: [],
          http: [{ host: '127.0.0.1', port: 0 }],
        },
        keyspace: { url: redis.url },
        cluster: { name, secret: 'a secret that only the tests know of' },
        limits: { process: { eventLoopDelayMilliseconds: 60_000 } }, // the machine may have much else to do
      }),
  );
  await installations[0]?.accounts('romeo@localhost', 'juliet@localhost');
  return installations;
}

const bound = (node: RunningParley) => node.log.filter(({ event }) => event === 'session.bound').length;

it('two processes on one port share its clients, and one goes on alone', async () => {
  const port = await freePort();
  const installations = await startOn(port, ['one', 'two'], true);
  const one = (await installations[0]?.start()) as RunningParley;
  const two = (await installations[1]?.start()) as RunningParley;
  await Promise.all([one, two].map((node) => node.event('cluster.joined')));
  expect([one, two].map((node) => node.port('c2s'))).toEqual([port, port]);
  expect(one.port('http')).not.toBe(two.port('http'));

  const romeos = [];
  for (let each = 0; each < SESSIONS; each++) romeos.push(await appearOver(port, `romeo@localhost/${each}`));
  // that the system sends all of them to one of the two has a chance of one in half a million
  await expect.poll(() => bound(one) + bound(two)).toBe(SESSIONS); // logs come a moment later
  expect(bound(one)).toBeGreaterThan(0);
  expect(bound(two)).toBeGreaterThan(0);

  // wherever they are, they are sessions of one server
  const juliet = await appearOver(port, 'juliet@localhost/balcony');
  juliet.send(`<message to='romeo@localhost' type='chat'><body>Wherefore art thou?</body></message>`);
  for (const romeo of romeos) expect((await romeo.nextMessage()).childText('body')).toBe('Wherefore art thou?');

  await expect.poll(() => bound(one) + bound(two)).toBe(SESSIONS + 1);
  const [stays, dies] = bound(one) > bound(two) ? [one, two] : [two, one];
  const before = bound(stays);
  const gone = stays.nextEvent('cluster.gone');
  await dies.kill();
  for (let each = 0; each < 4; each++) await appearOver(port, `juliet@localhost/window${each}`);
  await expect.poll(() => bound(stays)).toBe(before + 4);
  await gone;
  expect(await stays.stop()).toBe(0);
});

it('a port that one does not share is in use for another', async () => {
  const port = await freePort();
  const [one, two] = (await startOn(port, ['one', 'two'], false)) as [Installation, Installation];
  await one.start();
  two.configure({ listen: { reusePort: true, c2s: [{ host: '127.0.0.1', port }], c2sTls: [], http: [] } });
  await expect(two.start()).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
});
