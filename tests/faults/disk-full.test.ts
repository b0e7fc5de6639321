import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished } from 'vitest';
import { Chat } from '../support/chat.ts';
import { setRoster } from '../support/contacts.ts';
import { features, scram } from '../support/login.ts';
import { startServer } from '../support/server.ts';
import { collect, errorOf, Ledger } from './ledger.ts';

const WAIT = 'wait resource-constraint';

it('asks senders to wait while the disk is full, loses nothing, and goes on when there is room', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { keyspace, disk } = await openEmbedded(folder, { maxBytes: 600_000 });
  const server = await startServer({ keyspace, config: { limits: { bytes: { perSecond: 0 } } } });
  const chat = new Chat(
    await server.online('romeo@localhost/orchard'),
    await server.online('juliet@localhost/balcony'),
  );
  const leaving = await server.online('mercutio@localhost/square');
  await server.account('nurse@localhost');
  const writer = await server.online('benvolio@localhost/square');
  const ledger = new Ledger(writer, 'nurse@localhost');

  while (ledger.refused.length === 0) await ledger.write(20_000);
  await chat.goesOn();
  await ledger.write();
  expect(ledger.refused).toEqual([WAIT, WAIT]);
  expect(keyspace.state).toBe('down');
  const kept = `<query xmlns='${NS.private}'><x xmlns='urn:example'>text</x></query>`;
  expect(errorOf(await writer.request('set', kept))).toBe(WAIT);
  expect(errorOf(await setRoster(writer, `<item jid='nurse@localhost'/>`))).toBe(WAIT);
  expect(errorOf(await writer.request('get', `<query xmlns='${NS.roster}'/>`))).toBe('result');
  await leaving.close();
  const client = server.connect();
  client.open('localhost');
  await features(client);
  expect((await scram(client, { username: 'juliet', password: 'secret' })).name).toBe('success');

  const up = new Promise((resolve) => keyspace.onState(resolve));
  disk?.limit(0);
  expect(await up).toBe('up');
  await ledger.write();
  expect(errorOf(await writer.request('set', kept))).toBe('result');
  await chat.goesOn();
  await chat.end();
  expect(ledger.refused).toHaveLength(2);
  expect(ledger.acknowledged.length).toBeGreaterThan(3);
  expect(await collect(await server.client('nurse@localhost/hall'))).toEqual(ledger.acknowledged);
  expect(await collect(await server.client('nurse@localhost/other'))).toEqual([]);
  expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
  expect(server.node.registry.metrics.errors.value).toBe(0);
});
