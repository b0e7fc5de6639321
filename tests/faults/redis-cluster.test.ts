import { accountKey, hashTag } from '@parley/keyspace/key';
import { OwnCluster } from '@parley/keyspace/testing/own-cluster';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, it } from 'vitest';
import { NodeHere } from '../support/node-here.ts';
import { Installation } from '../support/process.ts';
import { acknowledged, clientAt, heard } from '../support/talking.ts';
import { CLUSTER, talkThrough } from './several-redis.ts';

it('in a Redis Cluster, nodes find the replica that took the place of a primary that died', async () => {
  const redis = await OwnCluster.start({ primaries: 3, replicas: 2 });
  await talkThrough(redis.url, () => redis.primaryOf('global').kill());
});

it('a server of a Redis Cluster that comes back without its newest writes is told them anew', async () => {
  const redis = await OwnCluster.start({ primaries: 3 });
  const serverOf = (account: string) => redis.primaryOf(hashTag(accountKey('session', account)));
  const server = serverOf('juliet@localhost');
  const names = Array.from({ length: 50 }, (_, number) => `absent${number}@localhost`);
  const absentJid = names.find((name) => serverOf(name) === server) ?? expect.fail();

  const one = await NodeHere.start(redis.url, { name: 'one', config: { cluster: CLUSTER } });
  await one.accounts('romeo@localhost', 'juliet@localhost', absentJid);
  const two = await new Installation({ keyspace: { url: redis.url }, cluster: CLUSTER }).start();
  let port = two.port('c2s');
  const romeo = clientAt('romeo@localhost/orchard', () => one.port);
  const juliet = clientAt('juliet@localhost/balcony', () => port);
  await romeo.start();
  await juliet.start();
  romeo.say(juliet.jid, 'kept');
  await Promise.all([heard(juliet, 1), acknowledged(romeo)]);
  expect(await server.ask('SAVE')).toBe('+OK');

  // all of this is lost with the server
  port = await freePort();
  juliet.break();
  const words = Array.from({ length: 20 }, (_, at) => `word ${at}`);
  for (const word of words) {
    romeo.say(juliet.jid, word);
    romeo.say(absentJid, `later ${word}`);
  }
  await acknowledged(romeo);
  const swept = two.nextEvent('keyspace.swept');
  await server.kill();
  await server.start();
  await swept;
  await expect.poll(() => one.logged('keyspace.swept').length).toBe(1); // each by itself
  expect(one.logged('keyspace.changed')).toHaveLength(1);

  // and nobody has it but the store
  await two.kill();
  port = one.port;
  await heard(juliet, 1 + words.length);
  const from = (word: string) => `${romeo.jid} ${word}`;
  expect(juliet.heard).toEqual(['kept', ...words].map(from));
  const absent = clientAt(`${absentJid}/late`, () => one.port);
  await absent.start();
  await heard(absent, words.length);
  expect(absent.heard).toEqual(words.map((word) => from(`later ${word}`)));
  await Promise.all([romeo, juliet, absent].map((client) => client.close()));
});
