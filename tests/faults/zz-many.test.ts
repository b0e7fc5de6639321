import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ManagedClient } from '../support/managed-client.ts';
import { Installation } from '../support/process.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

const PAIRS = 3;
const KILLS = 25;
const WORDS_BETWEEN_KILLS = 40;

it('a server that is killed at any moment loses, doubles and reorders nothing that it acknowledged', async () => {
  const port = await freePort();
  const nowhere = { host: '127.0.0.1', port };
  const installation = new Installation({
    listen: { c2s: [nowhere], c2sTls: [], http: [] },
    limits: { stanzas: { perSecond: 0 }, bytes: { perSecond: 0 } },
  });
  const names = Array.from({ length: PAIRS * 2 }, (_, index) => `user${index}@localhost`);
  await installation.accounts(...names);
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

  const complete = () => clients.every((client, index) => {
    return client.acknowledged === client.said.length && partner(index).heard.length >= client.said.length;
  });
  while (!complete()) await Promise.race(clients.map((client) => client.changed()));

  clients.forEach((client, index) => {
    const expected = client.said.map((body) => `${client.jid} ${body}`);
    expect(partner(index).heard).toEqual(expected);
  });
  for (const client of clients) expect(client.resumptions).toBeGreaterThan(0);
}, 500_000);
