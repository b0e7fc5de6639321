import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { PeerConnection } from './peer-connection.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Both ends of a connection; the other side does not read yet. */
async function connection(): Promise<{ peer: PeerConnection; other: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const { port } = server.address() as { port: number };
  const peer = await PeerConnection.open('127.0.0.1', port, new AbortController().signal);
  onTestFinished(() => peer.destroy());
  const [other] = (await accepted) as [Socket];
  onTestFinished(() => void other.destroy());
  return { peer, other };
}

it('tells when what was written is out, and not before, and has it go out with the rest of the turn', async () => {
  const { peer, other } = await connection();
  const first = peer.write('first');
  const sent: string[] = [];
  const out = new Promise<void>((resolve) => {
    peer.whenSent(() => {
      sent.push('first');
      resolve();
    });
  });
  expect(peer.write(' and second')).toBe(first);
  expect(first?.text).toBe('first and second');
  await out;

  peer.write('x'.repeat(64 * 1024 * 1024)); // more than any socket buffer holds
  const all = new Promise<void>((resolve) => {
    peer.whenSent(() => {
      sent.push('all');
      resolve();
    });
  });
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  expect(sent).toEqual(['first']);
  other.resume();
  await all;
  expect(peer.buffered).toBe(0);
});

it('never tells once the connection has ended', async () => {
  const { peer, other } = await connection();
  const sent: string[] = [];
  peer.write('x'.repeat(64 * 1024 * 1024));
  peer.whenSent(() => sent.push('before the end'));
  const closed = new Promise<void>((resolve) => {
    peer.handler = { onData() {}, onClose: () => resolve() };
  });
  other.destroy();
  await closed;
  peer.whenSent(() => sent.push('after the end'));
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  expect(sent).toEqual([]);
});
