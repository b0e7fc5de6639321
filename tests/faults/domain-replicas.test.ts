import { OwnRedis } from '@parley/keyspace/testing/own-redis';
import { expect, it } from 'vitest';
import { NodeHere } from '../support/node-here.ts';
import { acknowledged, clientAt, heard } from '../support/talking.ts';

const [STRICT, EASY] = ['strict.example', 'easy.example'];

it('messages of a domain that waits for a replica wait while there is none, and those of other domains do not', async () => {
  const primary = await OwnRedis.start(['--repl-diskless-sync-delay', '0']);
  const replica = await OwnRedis.start(['--replicaof', '127.0.0.1', String(primary.port)]);
  const replication = () => replica.askAll('INFO', 'replication');
  await expect.poll(replication, { interval: 20 }).toContain('master_link_status:up');
  const node = await NodeHere.start(primary.url, {
    config: { domains: [{ name: STRICT, replicas: 1 }, { name: EASY }] },
  });
  const names = [STRICT, EASY].flatMap((domain) => ['a', 'b', 'away'].map((name) => `${name}@${domain}`));
  await node.accounts(...names);
  const clients = names
    .filter((name) => !name.startsWith('away'))
    .map((name) => clientAt(`${name}/x`, () => node.port));
  for (const client of clients) await client.start();
  const [a, b, easyA, easyB] = clients as [
    (typeof clients)[0],
    (typeof clients)[0],
    (typeof clients)[0],
    (typeof clients)[0],
  ];
  a.say(b.jid, 'one');
  a.say(`away@${STRICT}`, 'one');
  await Promise.all([heard(b, 1), acknowledged(a)]);

  await replica.freeze();
  easyA.say(easyB.jid, 'two');
  easyA.say(`away@${EASY}`, 'two');
  a.say(easyB.jid, 'three'); // which arrives, but that it was said is a's own affair to keep
  await Promise.all([heard(easyB, 2), acknowledged(easyA)]);
  a.say(b.jid, 'four');
  easyA.say(b.jid, 'five');
  easyB.say(`away@${STRICT}`, 'six');
  // all of them are said, and whoever is asked later is answered
  const late = clientAt(`a@${EASY}/late`, () => node.port);
  await late.start();
  late.say(easyB.jid, 'seven');
  await Promise.all([heard(easyB, 3), acknowledged(late)]);
  expect([a.acknowledged, easyA.acknowledged, easyB.acknowledged, b.heard.length]).toEqual([2, 2, 0, 1]);

  replica.thaw();
  await Promise.all([heard(b, 3), ...clients.map(acknowledged)]);
  const away = clientAt(`away@${STRICT}/x`, () => node.port);
  await away.start();
  await heard(away, 2);
  expect(away.heard).toEqual([`${a.jid} one`, `${easyB.jid} six`]);
  expect(b.heard.toSorted()).toEqual([`${a.jid} one`, `${a.jid} four`, `${easyA.jid} five`].toSorted());
});
