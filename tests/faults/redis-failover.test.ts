// A replica that lacks the newest writes takes the place of its primary: the nodes have them in memory, and write them anew.
import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, it } from 'vitest';
import { RedisPair } from '../chaos/redis-pair.ts';
import { conditionOf } from '../support/login.ts';
import { LossyProxy } from '../support/lossy-proxy.ts';
import type { ManagedClient } from '../support/managed-client.ts';
import { appearOver, encrypted } from '../support/network.ts';
import { Installation } from '../support/process.ts';
import { AGENT, plain2, show, tokenIn, wantToken } from '../support/sasl2.ts';
import { acknowledged, clientAt, heard } from '../support/talking.ts';

const SECRET = 'a secret that only the tests know of';
const NAMES = ['romeo', 'juliet', 'nurse', 'absent'].map((name) => `${name}@localhost`);
const WORDS = 20;

async function start() {
  const pair = await RedisPair.start();
  const ways = [await LossyProxy.to(pair.primary.port), await LossyProxy.to(pair.primary.port)];
  const installations = ways.map(
    ({ port }) =>
      new Installation({
        keyspace: { url: `redis://127.0.0.1:${port}`, commandTimeoutSeconds: 2 },
        cluster: { secret: SECRET },
        limits: { stanzas: { perSecond: 0 }, process: { eventLoopDelayMilliseconds: 60_000 } },
      }),
  );
  await installations[0]?.accounts(...NAMES);
  const [first, second] = await Promise.all(installations.map((installation) => installation.start()));
  if (first === undefined || second === undefined) throw new Error('There are two.');
  /** The replica takes over; what it did not get is lost. The second node finds it when the first has done `between`. */
  const failOver = async (between = async () => {}, promoted: () => Promise<unknown> = async () => {}) => {
    const changed = [first, second].map((node) => node.nextEvent('keyspace.changed'));
    await pair.kill();
    await pair.promote();
    await promoted();
    ways[0]?.redirect(pair.primary.port);
    await changed[0];
    await between();
    ways[1]?.redirect(pair.primary.port);
    await changed[1];
  };
  return { pair, first, second, failOver };
}

it('a replica without the newest writes costs no session and no message, nor comes anything twice', async () => {
  const { pair, first, second, failOver } = await start();
  const nowhere = await freePort();
  let way = second.port('c2s');
  const romeo = clientAt('romeo@localhost/orchard', () => first.port('c2s'));
  const juliet = clientAt('juliet@localhost/balcony', () => way);
  for (const client of [romeo, juliet]) await client.start();
  const plain = await appearOver(first.port('c2s'), 'nurse@localhost/hall'); // whose session has no journal

  let count = 0;
  const speak = () => {
    for (const body of Array.from({ length: WORDS }, () => `w${count++}`)) {
      romeo.say(juliet.jid, body);
      juliet.say(romeo.jid, body);
      romeo.say('absent@localhost', `later ${body}`);
    }
  };
  speak();
  await Promise.all([heard(juliet, WORDS), acknowledged(romeo), acknowledged(juliet)]);
  const token = tokenIn(await plain2(await encrypted(way, 'localhost'), 'nurse', 'secret', AGENT + wantToken())) ?? '';
  const shows = async (count: number) => {
    const client = await encrypted(way, 'localhost');
    return conditionOf(await show(client, token, { username: 'nurse', attributes: ` count='${count}'` }));
  };
  expect(await shows(5)).toBe('success');
  await pair.inStep();

  // from here on everything is lost, all of it acknowledged
  pair.fallBehind();
  speak();
  await Promise.all([heard(juliet, 2 * WORDS), heard(romeo, 2 * WORDS), acknowledged(romeo), acknowledged(juliet)]);
  way = nowhere;
  juliet.break();
  speak(); // what juliet says she says when she is back; what is for her waits in her journal
  await acknowledged(romeo);
  const late = await appearOver(second.port('c2s'), 'nurse@localhost/kitchen'); // it is bound, and has a record
  await failOver();

  speak();
  await acknowledged(romeo); // so her session was written anew, and that with it
  plain.send(`<message to='nurse@localhost/kitchen'><body>you there?</body></message>`);
  expect((await late.nextMessage()).childText('body')).toBe('you there?');

  // what the store has now is all that is left
  await second.kill();
  way = first.port('c2s');
  expect(await shows(5)).toBe('not-authorized'); // neither the other node nor the other Redis takes it for new
  expect(await shows(6)).toBe('success');
  const isForOther = (body: string) => !body.startsWith('later');
  const words = (client: ManagedClient) => client.said.filter(isForOther).map((body) => `${client.jid} ${body}`);
  await Promise.all([heard(juliet, 4 * WORDS), heard(romeo, 4 * WORDS), acknowledged(juliet), acknowledged(romeo)]);
  expect(juliet.heard).toEqual(words(romeo));
  expect(romeo.heard).toEqual(words(juliet));

  const absent = clientAt('absent@localhost/managed', () => first.port('c2s'));
  await absent.start();
  const kept = romeo.said.filter((body) => !isForOther(body)).map((body) => `${romeo.jid} ${body}`);
  await heard(absent, kept.length);
  expect(absent.heard).toEqual(kept);
  await Promise.all([romeo, juliet, absent].map((client) => client.close()));
  expect(first.log.filter(({ level, event }) => level === 'error' && event !== 'keyspace.down')).toEqual([]);
});

it('what the store has forgotten to be over stays over, and its resource can be bound', async () => {
  const { pair, first, second, failOver } = await start();
  const port = () => first.port('c2s');
  const romeo = clientAt('romeo@localhost/orchard', port);
  const juliet = clientAt('juliet@localhost/balcony', () => second.port('c2s'));
  for (const client of [romeo, juliet]) await client.start();
  juliet.say('romeo@localhost', 'one');
  await Promise.all([heard(romeo, 1), acknowledged(juliet)]);
  await pair.inStep();

  pair.fallBehind();
  await romeo.close(); // which is lost
  juliet.say('romeo@localhost', 'two'); // it is stored, and that as well
  await acknowledged(juliet);
  const swept = first.nextEvent('keyspace.swept');
  await failOver();
  juliet.say('romeo@localhost', 'three');
  await acknowledged(juliet);
  await swept;

  const again = clientAt('romeo@localhost/orchard', port);
  await again.start();
  await heard(again, 2);
  expect(again.heard).toEqual(['two', 'three'].map((body) => `${juliet.jid} ${body}`));
  await Promise.all([again.close(), juliet.close()]);
  await expect.poll(() => pair.keysLeft()).toBe(''); // nothing is left of anybody
});

it('a session is not claimed as an old replica has it, as long as the node lives that has all of it', async () => {
  const { pair, first, second, failOver } = await start();
  let way = () => second.port('c2s');
  const romeo = clientAt('romeo@localhost/orchard', () => first.port('c2s'));
  const juliet = clientAt('juliet@localhost/balcony', () => way());
  for (const client of [romeo, juliet]) await client.start();
  romeo.say(juliet.jid, 'known');
  await Promise.all([heard(juliet, 1), acknowledged(romeo)]);
  await pair.inStep();

  // her client is gone, and what she is told from now on is lost with the primary
  const nowhere = await freePort();
  way = () => nowhere;
  juliet.break();
  pair.fallBehind();
  for (const body of ['one', 'two', 'three']) romeo.say(juliet.jid, body);
  await acknowledged(romeo);

  const comes = first.nextEvent('resumption.waits');
  await failOver(async () => {
    way = () => first.port('c2s');
    await comes;
  });
  await heard(juliet, 4);
  expect(juliet.heard).toEqual(['known', 'one', 'two', 'three'].map((body) => `${romeo.jid} ${body}`));
  await Promise.all([romeo.close(), juliet.close()]);
});

it('a replica that takes over and takes no writes yet gets what was stored as soon as it does', async () => {
  const { pair, first, failOver } = await start();
  const port = () => first.port('c2s');
  const romeo = clientAt('romeo@localhost/orchard', port);
  await romeo.start();
  await pair.inStep();
  pair.fallBehind();
  for (const body of ['one', 'two']) romeo.say('absent@localhost', body);
  await acknowledged(romeo);
  const refuses = (count: number) => pair.primary.ask('CONFIG', 'SET', 'min-replicas-to-write', String(count));
  await failOver(
    async () => {},
    () => refuses(5),
  );
  const up = first.nextEvent('keyspace.up');
  await refuses(0);
  await up;
  const absent = clientAt('absent@localhost/managed', port);
  await absent.start();
  await heard(absent, 2);
  expect(absent.heard).toEqual(['one', 'two'].map((body) => `${romeo.jid} ${body}`));
  expect(first.log.filter(({ event }) => event === 'offline.unrestored')).toEqual([]);
  const metrics = await (await fetch(`http://127.0.0.1:${first.port('http')}/metrics`)).text();
  expect(metrics).toMatch(/^parley_keyspace_losses_total [1-9]/m);
  await Promise.all([romeo, absent].map((client) => client.close()));
});
