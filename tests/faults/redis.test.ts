import { openKeyspace } from '@parley/keyspace/open';
import { OwnRedis } from '@parley/keyspace/testing/own-redis';
import { readNodeReports } from '@parley/server/node-reporting';
import { expect, it, vi } from 'vitest';
import { Chat } from '../support/chat.ts';
import { conditionOf, plain } from '../support/login.ts';
import { appearOver, encrypted, logIn } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { collect, errorOf, Ledger } from './ledger.ts';

async function ready(node: RunningParley): Promise<number> {
  return (await fetch(`http://127.0.0.1:${node.port('http')}/health/ready`)).status;
}

async function logsIn(port: number, name: string): Promise<string> {
  const client = await encrypted(port);
  const end = conditionOf(await plain(client, name, 'secret'));
  client.break();
  return end;
}

it('lets those who are there talk on while Redis is away, keeps others waiting, and comes back with it', async () => {
  const redis = await OwnRedis.start(['--appendonly', 'yes', '--appendfsync', 'always']);
  const installation = new Installation({
    keyspace: { url: redis.url, commandTimeoutSeconds: 3 },
    cluster: { secret: 'a secret that only the tests know of' },
  });
  await installation.accounts(
    ...['romeo', 'juliet', 'nurse', 'benvolio', 'mercutio', 'tybalt'].map((name) => `${name}@localhost`),
  );
  const node = await installation.start();
  const port = node.port('c2s');
  const romeo = await appearOver(port, 'romeo@localhost/orchard');
  const chat = new Chat(romeo, await appearOver(port, 'juliet@localhost/balcony'));
  const writer = await appearOver(port, 'benvolio@localhost/square');
  const silent = await logIn(port, 'mercutio@localhost/hall'); // it has asked for nothing yet
  const ledger = new Ledger(writer, 'nurse@localhost');
  await ledger.write();
  await ledger.write();
  expect([await ready(node), await logsIn(port, 'nurse'), ledger.refused]).toEqual([200, 'success', []]);

  const { keyspace } = await openKeyspace(redis.url);
  const [report] = await readNodeReports(keyspace);
  await keyspace.close();
  expect(report).toMatchObject({ node: (await node.event('server.started')).node, state: 'up' });

  const down = node.nextEvent('keyspace.down');
  await redis.kill();
  await down;
  await chat.goesOn();
  expect(await ready(node)).toBe(503);
  expect((await fetch(`http://127.0.0.1:${node.port('http')}/health/live`)).status).toBe(200);
  expect(await logsIn(port, 'tybalt')).toBe('temporary-auth-failure');
  const waits = ledger.write(); // it is for somebody who is not there: nobody can keep it now, and it is not refused
  expect(errorOf(await silent.request('get', `<ping xmlns='urn:xmpp:ping'/>`, 'localhost'))).toBe('result');
  silent.send(`<message to='benvolio@localhost/square'><body>I am here</body></message>`);
  expect((await writer.nextMessage()).childText('body')).toBe('I am here');
  await chat.goesOn();

  const up = node.nextEvent('keyspace.up');
  await redis.start();
  await up;
  await vi.waitFor(async () => expect(await ready(node)).toBe(200));
  expect(await logsIn(port, 'tybalt')).toBe('success');
  await waits;
  await ledger.write();
  await chat.goesOn();
  await chat.end();
  expect(ledger.refused).toEqual([]);
  expect(await collect(await logIn(port, 'nurse@localhost/hall'))).toEqual(ledger.acknowledged);
  expect(await node.stop()).toBe(0);
  expect(node.log.filter(({ level, event }) => level === 'error' && event !== 'keyspace.down')).toEqual([]);
});
