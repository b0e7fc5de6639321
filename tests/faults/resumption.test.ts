import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, it, onTestFinished } from 'vitest';
import { ManagedClient } from '../support/managed-client.ts';
import { Installation } from '../support/process.ts';
import { heard, until } from '../support/talking.ts';

const PAIRS = 3;
const KILLS = 5;
const WORDS_BETWEEN_KILLS = 40;

it('a server that is killed at any moment loses, doubles and reorders nothing that it acknowledged', async () => {
  const port = await freePort();
  const nowhere = { host: '127.0.0.1', port };
  const installation = new Installation({
    listen: { c2s: [nowhere], c2sTls: [], http: [] },
    limits: { stanzas: { perSecond: 0 }, bytes: { perSecond: 0 } },
  });
  const names = Array.from({ length: PAIRS * 2 }, (_, index) => `user${index}@localhost`);
  await installation.accounts(...names, 'absent@localhost');
  let node = await installation.start();
  const clients = names.map((name) => new ManagedClient(`${name}/managed`, () => port));
  onTestFinished(() => {
    for (const client of clients) client.stop();
  });
  for (const client of clients) await client.start();

  // user 0 talks to user 1, and back, and so on
  const partner = (index: number) => clients[index ^ 1] as ManagedClient;
  let words = 0;
  const speak = () => {
    clients.forEach((client, index) => {
      client.say(partner(index).jid, `w${words}`);
    });
    clients[0]?.say('absent@localhost', `for later ${words}`);
    words++;
  };

  for (let kill = 0; kill < KILLS; kill++) {
    for (let i = 0; i < WORDS_BETWEEN_KILLS; i++) {
      speak();
      await new Promise(setImmediate);
    }
    // in the middle of it, at a moment that depends on how fast this machine is
    await clients[kill % clients.length]?.changed();
    await node.kill();
    speak();
    node = await installation.start();
  }
  speak();

  const isForPartner = (body: string) => !body.startsWith('for later');
  const complete = () =>
    clients.every((client, index) => {
      const { length } = partner(index).heard;
      return client.acknowledged === client.said.length && length >= client.said.filter(isForPartner).length;
    });
  await until(clients, complete);

  clients.forEach((client, index) => {
    const expected = client.said.filter(isForPartner).map((body) => `${client.jid} ${body}`);
    expect(partner(index).heard).toEqual(expected);
  });
  for (const client of clients) expect(client.resumeTimes.length).toBeGreaterThan(0);

  const absent = new ManagedClient('absent@localhost/managed', () => port);
  onTestFinished(() => absent.stop());
  await absent.start();
  const kept = (clients[0] as ManagedClient).said.filter((body) => !isForPartner(body));
  await heard(absent, kept.length);
  expect(absent.heard).toEqual(kept.map((body) => `${clients[0]?.jid} ${body}`));
});
