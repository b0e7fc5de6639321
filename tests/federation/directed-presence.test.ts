import { NS } from '@parley/xmpp/namespaces';
import { expect, test, vi } from 'vitest';
import { logIn } from '../support/network.ts';
import { startThreeNodes } from '../support/three-nodes.ts';
import { peerAnd } from './writers.ts';

const NAMES = ['romeo', 'mercutio'].map((name) => `${name}@localhost`);
const ROOM = 'verona@remote.example/romeo';
const PERSON = 'juliet@remote.example';

/** Three nodes that all know another server, to which the first one has the stream, and Romeo on the second. */
async function start() {
  const { peer, config } = await peerAnd(true);
  const nodes = await startThreeNodes(NAMES, config, { s2s: [], s2sTls: [] });
  const port = (index: number) => nodes[index]?.port as number;
  const mercutio = await logIn(port(0), `${NAMES[1]}/a`);
  mercutio.send(`<message to='${PERSON}'><body>hello</body></message>`);
  await vi.waitFor(() => expect(peer.got.length).toBe(1));
  const romeo = await logIn(port(1), `${NAMES[0]}/a`);
  const told = (to: string) =>
    peer.presences.filter((line) => line.startsWith(`${NAMES[0]}/a ${to} `)).map((line) => line.split(' ')[2]);
  /** Presence to a room and to a person there, which is all that they know of him. */
  const direct = async () => {
    for (const to of [ROOM, PERSON]) romeo.send(`<presence to='${to}'/>`);
    await romeo.sync();
    await vi.waitFor(() => expect([told(ROOM), told(PERSON)]).toEqual([['available'], ['available']]));
  };
  const gone = () =>
    vi.waitFor(() =>
      expect([told(ROOM), told(PERSON)]).toEqual([
        ['available', 'unavailable'],
        ['available', 'unavailable'],
      ]),
    );
  return { nodes, romeo, direct, gone, told };
}

test.each([
  ['who is there for all', `<presence/>`],
  ['who is there for nobody else', ''],
])('other servers hear that somebody is gone whose client is cut off, %s', async (_, before) => {
  const { romeo, direct, gone } = await start();
  if (before !== '') romeo.send(before);
  await direct();
  romeo.break();
  await gone();
});

test.each([
  ['who is there for all', `<presence/>`, 1],
  ['who is there for nobody else', '', 1],
  ['and with both the stream to the other server', '<presence/>', 2],
])('they hear it where his node is killed with him, %s', async (_, before, killed) => {
  const { nodes, romeo, direct, gone } = await start();
  if (before !== '') romeo.send(before);
  await direct();
  await Promise.all(nodes.slice(2 - killed, 2).map(({ node }) => node.kill()));
  await gone();
});

test('of what was taken back nobody hears any more', async () => {
  const { nodes, romeo, direct, gone, told } = await start();
  await direct();
  romeo.send(`<presence to='${PERSON}' type='unavailable'/><presence to='nurse@remote.example'/>`);
  await romeo.sync();
  await vi.waitFor(() => expect(told('nurse@remote.example')).toEqual(['available']));
  await nodes[1]?.node.kill();
  await gone();
  await vi.waitFor(() => expect(told('nurse@remote.example')).toEqual(['available', 'unavailable']));
});

test('where his session can be resumed they hear it when its time is over', async () => {
  const { nodes, romeo, direct, gone, told } = await start();
  romeo.send(`<enable xmlns='${NS.streamManagement}' resume='true' max='5'/>`);
  await romeo.take(({ name }) => name === 'enabled');
  await direct();
  await nodes[1]?.node.kill();
  expect(told(ROOM)).toEqual(['available']);
  await gone();
});
