import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { AuditQueue } from './audit-queue.ts';
import { DatagramSink } from './datagram-sink.ts';

async function receiver(port = 0) {
  const messages: string[] = [];
  const socket = createSocket('udp4', (message) => void messages.push(message.toString()));
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { messages, port: socket.address().port };
}

function queueTo(host: string, port: number) {
  const troubles: (Error | undefined)[] = [];
  const onTrouble = (error: Error | undefined) => void troubles.push(error);
  const queue = new AuditQueue({ sink: new DatagramSink(host, port), mostBytes: 100_000, onTrouble });
  onTestFinished(() => queue.close(0));
  return { queue, troubles };
}

it('sends a datagram a message, in order', async () => {
  const { messages, port } = await receiver();
  const { queue } = queueTo('127.0.0.1', port);
  const all = Array.from({ length: 200 }, (_, index) => `message ${index}`);
  for (const message of all) queue.write(Buffer.from(message));
  await vi.waitFor(() => expect(messages).toEqual(all));
});

it('hears that nobody listens on the machine, and goes on when somebody does', async () => {
  const port = await freePort();
  const { queue, troubles } = queueTo('127.0.0.1', port);
  await vi.waitFor(() => {
    queue.write(Buffer.from('nobody hears it'));
    expect(troubles.map(String)).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });
  const { messages } = await receiver(port);
  queue.write(Buffer.from('heard'));
  queue.reopen();
  await vi.waitFor(() => expect(messages.at(-1)).toBe('heard'));
  expect(troubles.at(-1)).toBeUndefined();
});

it('keeps what it has for a host that has no address', async () => {
  const { queue, troubles } = queueTo('no-such-host.invalid', 514);
  queue.write(Buffer.from('a'));
  await vi.waitFor(() => expect(troubles).toEqual([expect.any(Error)]));
  expect(queue.waiting).toBe(1);
});
