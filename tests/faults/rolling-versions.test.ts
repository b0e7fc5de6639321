// A cluster is upgraded node by node, and back: neighbouring versions talk to each other, in the newest version of frames
// that both read. This program has one version only, so the next one is made up here: it differs by its number alone, which
// is enough for a node that does not read it to ignore it.
import { openKeyspace } from '@parley/keyspace/open';
import type { Configuration } from '@parley/server/config/schema';
import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { NodeHere } from '../support/node-here.ts';
import type { Partly } from '../support/server.ts';
import { acknowledged, clientAt, heard } from '../support/talking.ts';

const NOW = { oldest: 1, newest: 1 };
const NEXT = { oldest: 1, newest: 2 };
const AFTER_NEXT = { oldest: 2, newest: 3 };

async function start() {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { keyspace, bus } = await openKeyspace(redis.url, { node: 'onlooker' });
  onTestFinished(() => keyspace.close());
  const versions = new Set<number>();
  bus.onPush((frame) => frame.length > 0 && versions.add(frame[1] as number));
  /** Resolves when all nodes have spoken to all others in this version alone for longer than a beat takes. */
  const spoken = async (expected: number) => {
    const sinceLast = () => {
      const last = [...versions];
      versions.clear();
      return last;
    };
    sinceLast();
    await expect.poll(sinceLast, { interval: 1100 }).toEqual([expected]);
  };
  return { url: redis.url, spoken };
}

it('nodes of neighbouring versions are one server while one after the other is upgraded, and on the way back', async () => {
  const { url, spoken } = await start();
  let one = await NodeHere.start(url, { name: 'one', frames: NOW });
  let two = await NodeHere.start(url, { name: 'two', frames: NOW });
  await one.accounts('romeo@localhost', 'juliet@localhost', 'absent@localhost');
  let [atOne, atTwo] = [one.port, two.port];
  const romeo = clientAt('romeo@localhost/orchard', () => atOne);
  const juliet = clientAt('juliet@localhost/balcony', () => atTwo);
  await Promise.all([romeo.start(), juliet.start()]);

  let words = 0;
  const talk = async () => {
    words++;
    romeo.say(juliet.jid, `to juliet ${words}`);
    romeo.say('absent@localhost', `later ${words}`);
    juliet.say(romeo.jid, `to romeo ${words}`);
    await Promise.all([heard(juliet, words), heard(romeo, words), acknowledged(romeo), acknowledged(juliet)]);
  };
  await talk();
  await spoken(1);

  // the sessions go to the other node, of the other version, while theirs is exchanged, and come back
  const exchangeTwo = async (frames: typeof NOW) => {
    atTwo = one.port;
    await two.stop();
    await talk();
    two = await NodeHere.start(url, { name: 'two', frames });
    atTwo = two.port;
    juliet.break();
    await talk();
  };
  const exchangeOne = async (frames: typeof NOW) => {
    atOne = two.port;
    await one.stop();
    await talk();
    one = await NodeHere.start(url, { name: 'one', frames });
    atOne = one.port;
    romeo.break();
    await talk();
  };
  const left = [one, two];
  await exchangeTwo(NEXT);
  await spoken(1);
  await exchangeOne(NEXT);
  await spoken(2);
  left.push(one, two);
  await exchangeTwo(NOW);
  await spoken(1);
  await exchangeOne(NOW);
  await spoken(1);

  expect(juliet.heard).toEqual(Array.from({ length: words }, (_, at) => `${romeo.jid} to juliet ${at + 1}`));
  expect(romeo.heard).toEqual(Array.from({ length: words }, (_, at) => `${juliet.jid} to romeo ${at + 1}`));
  const absent = clientAt('absent@localhost/late', () => atTwo);
  await absent.start();
  await heard(absent, words);
  expect(absent.heard).toEqual(Array.from({ length: words }, (_, at) => `${romeo.jid} later ${at + 1}`));
  await Promise.all([romeo, juliet, absent].map((client) => client.close()));
  for (const node of [...left, one, two]) expect(node.log.filter(({ level }) => level === 'error')).toEqual([]);
});

it('a node is refused, in words, where it has no version in common with another one', async () => {
  const { url, spoken } = await start();
  const one = await NodeHere.start(url, { name: 'one', frames: NOW });
  await expect(NodeHere.start(url, { name: 'two', frames: AFTER_NEXT })).rejects.toThrow(
    /cannot join the cluster: of the frames between nodes, 'one' \(version \S+\) reads 1, this one \(version \S+\) 2 to 3/,
  );
  await spoken(1);
  expect(one.logged('cluster.joined', 'cluster.gone')).toEqual([]);
  await one.stop();
  const two = await NodeHere.start(url, { name: 'two', frames: AFTER_NEXT });
  await spoken(3);
  const three = await NodeHere.start(url, { name: 'three', frames: NEXT });
  await spoken(2);
  await two.stop();
  await three.stop();
});

it('a node is refused, in words, whose secret is not that of another one', async () => {
  const { url } = await start();
  const one = await NodeHere.start(url, { name: 'one' });
  const config = { cluster: { secret: 'a secret that none of the others knows of' } } as Partly<Configuration>;
  await expect(NodeHere.start(url, { name: 'two', config })).rejects.toThrow(
    "This node cannot join the cluster: 'one' runs with another cluster.secret.",
  );
  expect(one.logged('cluster.joined', 'cluster.gone')).toEqual([]);
  await one.stop();
  await NodeHere.start(url, { name: 'two', config });
});
