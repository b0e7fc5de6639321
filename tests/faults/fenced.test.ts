import { openKeyspace } from '@parley/keyspace/open';
import { OwnRedis } from '@parley/keyspace/testing/own-redis';
import { memberKeys } from '@parley/server/cluster/member';
import { expect, it } from 'vitest';
import { appearOver } from '../support/network.ts';
import { Installation } from '../support/process.ts';

it('a node that others gave up lets go of everybody, and comes back as another one', async () => {
  const redis = await OwnRedis.start();
  const shared = { keyspace: { url: redis.url }, cluster: { secret: 'a secret that only the tests know of' } };
  const [one, two] = [new Installation(shared), new Installation(shared)];
  await one.accounts('romeo@localhost', 'juliet@localhost');
  const first = await one.start();
  const second = await two.start();
  const { id } = await first.event('cluster.joined');
  const juliet = await appearOver(second.port('c2s'), 'juliet@localhost/balcony');

  const [joined, again] = [first.nextEvent('cluster.joined'), second.nextEvent('server.started')];
  const { keyspace } = await openKeyspace(redis.url);
  await keyspace.hset(memberKeys.key(), [[String(id), 'dead 1 1 - {}']]);
  await keyspace.close();
  await second.event('node.fenced');
  await juliet.closed;
  expect((await joined).id).not.toBe(id);

  const { listeners } = (await again) as unknown as { listeners: { name: string; port: number }[] };
  const port = listeners.find(({ name }) => name === 'c2s')?.port ?? 0;
  const romeo = await appearOver(first.port('c2s'), 'romeo@localhost/orchard');
  const there = await appearOver(port, 'juliet@localhost/balcony');
  romeo.send(`<message to='juliet@localhost/balcony'><body>Art thou there?</body></message>`);
  expect((await there.nextMessage()).childText('body')).toBe('Art thou there?');
  expect(await second.stop()).toBe(0);
});
