import { expect, it } from 'vitest';
import { Peers } from './peers.ts';

it('tells nobody where there is nobody', () => {
  expect(new Peers().tell('roster', 'juliet@capulet.lit')).toBeUndefined();
});

it('tells the others once they are there', async () => {
  const peers = new Peers();
  const told: string[][] = [];
  peers.connect(async (...all) => void told.push(all));
  await peers.tell('roster', 'juliet@capulet.lit');
  expect(told).toEqual([['roster', 'juliet@capulet.lit']]);
});

it('asks one of the others, and says no where there is nobody', async () => {
  const peers = new Peers();
  expect(await peers.ask('one', 'component', 'a stanza')).toBe(false);
  const asked: string[][] = [];
  peers.connect(
    async () => {},
    async (...all) => asked.push(all) > 0,
  );
  expect(await peers.ask('one', 'component', 'a stanza')).toBe(true);
  expect(asked).toEqual([['one', 'component', 'a stanza']]);
});

it('answers no where one who listens says no', async () => {
  const peers = new Peers();
  peers.on('component', (text) => text !== 'gone');
  peers.on('component', () => undefined);
  expect([await peers.receive('component', 'gone'), await peers.receive('component', 'here')]).toEqual([false, true]);
});

it('hears what others tell, each who listens after the one before', async () => {
  const peers = new Peers();
  const heard: string[] = [];
  const first = Promise.withResolvers<void>();
  peers.on('roster', async (text) => {
    await first.promise;
    heard.push(`1 ${text}`);
  });
  peers.on('roster', (text) => void heard.push(`2 ${text}`));
  peers.on('blocking', () => void heard.push('another'));
  const received = peers.receive('roster', 'juliet');
  expect(heard).toEqual([]);
  first.resolve();
  await received;
  await peers.receive('what nobody knows', '');
  expect(heard).toEqual(['1 juliet', '2 juliet']);
});

it('says where one who listens failed', async () => {
  const peers = new Peers();
  peers.on('roster', () => Promise.reject(new Error('no')));
  await expect(peers.receive('roster', '')).rejects.toThrow('no');
});
