// What can be the matter with a Redis that is there, one after the other.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { OwnRedis } from '@parley/keyspace/testing/own-redis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Chat } from '../support/chat.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { appearOver, logIn } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { acknowledged, heard } from '../support/talking.ts';
import { collect, errorOf, Ledger } from './ledger.ts';

interface Trouble {
  readonly name: string;
  begin(redis: OwnRedis): unknown;
  end(redis: OwnRedis): unknown;
  readonly failure: string;
  /** What a message for somebody who is not there is answered with; undefined where it waits. */
  readonly answer?: string;
}

const WAIT = 'wait resource-constraint';

/** Whoever is no client is heard where clients are not. */
let replica: Socket | undefined;

async function asReplica({ port }: OwnRedis): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write('SYNC\r\n');
  await once(socket, 'data');
  return socket.resume();
}

const troubles: Trouble[] = [
  {
    name: 'takes no writes, since it is a replica',
    begin: (redis) => redis.ask('REPLICAOF', '127.0.0.1', '1'),
    end: (redis) => redis.ask('REPLICAOF', 'NO', 'ONE'),
    failure: 'read-only',
    answer: WAIT,
  },
  {
    name: 'takes no writes, since its own replicas are gone',
    begin: (redis) => redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '1'),
    end: (redis) => redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '0'),
    failure: 'read-only',
    answer: WAIT,
  },
  {
    name: 'has no memory left',
    begin: (redis) => redis.ask('CONFIG', 'SET', 'maxmemory', '1'),
    end: (redis) => redis.ask('CONFIG', 'SET', 'maxmemory', '0'),
    failure: 'full',
    answer: WAIT,
  },
  {
    name: 'stands still',
    begin: (redis) => redis.freeze(),
    end: (redis) => redis.thaw(),
    failure: 'slow',
  },
  {
    name: 'answers nobody for a while',
    async begin(redis) {
      replica = await asReplica(redis);
      await redis.ask('CLIENT', 'PAUSE', '600000', 'ALL');
    },
    end: () => replica?.end('CLIENT UNPAUSE\r\n'),
    failure: 'slow',
  },
  {
    name: 'has another password when the node comes back to it',
    async begin(redis) {
      await redis.ask('ACL', 'SETUSER', 'parley', 'resetpass', '>another');
      await redis.ask('CLIENT', 'KILL', 'USER', 'parley');
    },
    end: (redis) => redis.ask('ACL', 'SETUSER', 'parley', 'resetpass', '>secret'),
    failure: 'refused',
    answer: WAIT,
  },
  {
    name: 'is started again',
    begin: (redis) => redis.kill(),
    async end(redis) {
      await redis.start();
    },
    failure: 'away',
  },
];

const get = (node: RunningParley, path: string) => fetch(`http://127.0.0.1:${node.port('http')}${path}`);

/** What the metrics say is the matter. */
async function troublesOf(node: RunningParley): Promise<string[]> {
  const text = await (await get(node, '/metrics')).text();
  return [...text.matchAll(/^parley_keyspace_trouble\{failure="([^"]+)"\} 1$/gm)].map(([, failure = '']) => failure);
}

it.each(troubles)('when Redis $name, nothing is acknowledged that is not kept', async (trouble) => {
  const acl = ['--user', 'parley', 'on', '>secret', '~*', '&*', '+@all'];
  const redis = await OwnRedis.start(['--appendonly', 'yes', '--appendfsync', 'always', ...acl]);
  const installation = new Installation({
    keyspace: { url: redis.url.replace('//', '//parley:secret@'), commandTimeoutSeconds: 3 },
    cluster: { secret: 'a secret that only the tests know of' },
    limits: { process: { eventLoopDelayMilliseconds: 60_000 } }, // whatever else this machine does
  });
  await installation.accounts(
    ...['romeo', 'juliet', 'nurse', 'benvolio', 'mercutio', 'tybalt', 'paris', 'rosaline'].map(
      (name) => `${name}@localhost`,
    ),
  );
  const node = await installation.start();
  const port = node.port('c2s');
  const chat = new Chat(
    await appearOver(port, 'romeo@localhost/orchard'),
    await appearOver(port, 'juliet@localhost/balcony'),
  );
  const writer = await appearOver(port, 'benvolio@localhost/square');
  const paris = await appearOver(port, 'paris@localhost/street');
  const rosaline = await appearOver(port, 'rosaline@localhost/window');
  const ledger = new Ledger(writer, 'nurse@localhost');
  await ledger.write();
  const [mercutio, tybalt] = ['mercutio', 'tybalt'].map((name) => {
    const client = new ManagedClient(`${name}@localhost/hall`, () => port);
    onTestFinished(() => client.stop());
    return client;
  }) as [ManagedClient, ManagedClient];
  for (const client of [mercutio, tybalt]) await client.start();
  mercutio.say(tybalt.jid, 'before');
  await Promise.all([heard(tybalt, 1), acknowledged(mercutio)]);
  expect([(await get(node, '/health/ready')).status, await troublesOf(node)]).toEqual([200, []]);

  const down = node.nextEvent('keyspace.down');
  await trouble.begin(redis);
  // for somebody who is not there: nobody can keep it
  let during = trouble.answer === undefined ? ledger.write() : undefined;
  mercutio.say(tybalt.jid, 'meanwhile'); // for somebody who must not lose it
  await down;
  await vi.waitFor(async () => expect(await troublesOf(node)).toEqual([trouble.failure]));
  expect((await get(node, '/health/ready')).status).toBe(503);
  expect((await get(node, '/health/live')).status).toBe(200);
  await chat.goesOn();
  // pings and presence need no store
  expect(errorOf(await paris.request('get', `<ping xmlns='urn:xmpp:ping'/>`, 'localhost'))).toBe('result');
  paris.send(`<presence to='${rosaline.jid}'><status>I am here</status></presence>`);
  expect((await rosaline.nextPresence()).childText('status')).toBe('I am here');
  if (trouble.answer !== undefined) {
    during = ledger.write();
    await during;
    expect(ledger.refused).toEqual([trouble.answer]);
  }
  expect([mercutio.acknowledged, tybalt.heard.length]).toEqual([1, 1]);

  const up = node.nextEvent('keyspace.up');
  await trouble.end(redis);
  await up;
  await during;
  await ledger.write();
  await Promise.all([heard(tybalt, 2), acknowledged(mercutio)]);
  await vi.waitFor(async () =>
    expect([(await get(node, '/health/ready')).status, await troublesOf(node)]).toEqual([200, []]),
  );
  await chat.goesOn();
  await chat.end();
  for (const client of [mercutio, tybalt]) await client.close();
  expect(tybalt.heard).toEqual(['before', 'meanwhile'].map((body) => `${mercutio.jid} ${body}`));
  expect(await collect(await logIn(port, 'nurse@localhost/hall'))).toEqual(ledger.acknowledged);
  expect(ledger.refused).toHaveLength(trouble.answer === undefined ? 0 : 1);
  expect(await node.stop()).toBe(0);
  expect(node.log.filter(({ level, event }) => level === 'error' && event !== 'keyspace.down')).toEqual([]);
});
