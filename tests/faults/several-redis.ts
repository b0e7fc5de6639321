import { expect } from 'vitest';
import { NodeHere } from '../support/node-here.ts';
import { Installation } from '../support/process.ts';
import { acknowledged, clientAt, heard } from '../support/talking.ts';

/** Nodes that die are found to be dead sooner than in production: nothing else is different. */
export const CLUSTER = {
  secret: 'a secret that only the tests know of',
  heartbeatMilliseconds: 300,
  leaseMilliseconds: 8000,
  absentMilliseconds: 1200,
};

const NAMES = ['romeo', 'juliet', 'nurse', 'absent'].map((name) => `${name}@localhost`);

/**
 * Three nodes on the Redis with this URL, of which one is killed and another one ends, while people talk across them;
 * meanwhile `failOver` takes a server of Redis away, and resolves when the cluster can go on. Whatever was acknowledged is
 * heard, once and in order, and nobody loses a session.
 */
export async function talkThrough(url: string, failOver: () => Promise<unknown>): Promise<void> {
  const one = await NodeHere.start(url, { name: 'one', config: { cluster: CLUSTER } });
  const two = await NodeHere.start(url, { name: 'two', config: { cluster: CLUSTER } });
  await one.accounts(...NAMES);
  const limits = { stanzas: { perSecond: 0 }, process: { eventLoopDelayMilliseconds: 60_000 } };
  const three = await new Installation({ keyspace: { url }, cluster: CLUSTER, limits }).start();

  const ports = { romeo: one.port, juliet: two.port, nurse: three.port('c2s') };
  const presences: string[] = [];
  const romeo = clientAt('romeo@localhost/orchard', () => ports.romeo, {
    presence: (from, type) => presences.push(`${from} ${type}`),
  });
  const juliet = clientAt('juliet@localhost/balcony', () => ports.juliet);
  const nurse = clientAt('nurse@localhost/hall', () => ports.nurse);
  const garden = clientAt('romeo@localhost/garden', () => two.port);
  for (const client of [romeo, juliet, nurse, garden]) await client.start();
  await expect.poll(() => presences).toContain('romeo@localhost/garden ');

  const people = [romeo, juliet, nurse];
  const said = new Map(people.map((client) => [client, [] as string[]]));
  let words = 0;
  const speak = () => {
    words++;
    for (const speaker of people) {
      for (const listener of people) {
        if (listener === speaker) continue;
        speaker.say(listener.jid, `${words}`);
        said.get(listener)?.push(`${speaker.jid} ${words}`);
      }
    }
    romeo.say('absent@localhost', `later ${words}`);
  };
  const understood = () => Promise.all(people.flatMap((each) => [heard(each, 2 * words), acknowledged(each)]));
  speak();
  await understood();

  // a session is resumed elsewhere
  ports.juliet = one.port;
  juliet.break();
  speak();
  await understood();

  // a node dies, with somebody who comes back elsewhere
  await three.kill();
  ports.nurse = two.port;
  speak();
  await understood();
  await expect.poll(() => one.logged('cluster.gone')).toMatchObject([{ how: 'dead' }]);

  // a Redis dies, while somebody is not connected
  juliet.break();
  speak();
  await failOver();
  speak();
  await understood();
  for (const node of [one, two]) {
    await expect.poll(() => node.logged('keyspace.swept').length).toBeGreaterThan(0);
    expect(node.logged('keyspace.changed').length).toBeGreaterThan(0);
  }

  // a node ends in order, and leaves what it wrote anew to the other one
  ports.romeo = ports.juliet = two.port;
  await one.stop();
  speak();
  await understood();
  await garden.close();
  await expect.poll(() => presences).toContain('romeo@localhost/garden unavailable');

  for (const client of people) {
    for (const other of people) {
      const theirs = (text: string) => text.startsWith(`${other.jid} `);
      expect(client.heard.filter(theirs)).toEqual(said.get(client)?.filter(theirs));
    }
  }
  const absent = clientAt('absent@localhost/late', () => two.port);
  await absent.start();
  await heard(absent, words);
  expect(absent.heard).toEqual(Array.from({ length: words }, (_, at) => `${romeo.jid} later ${at + 1}`));
  await Promise.all([...people, absent].map((client) => client.close()));
  for (const node of [one, two]) expect(node.log.filter(({ level }) => level === 'error')).toEqual([]);
}
