import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { AuditQueue } from './audit-queue.ts';
import { StreamSink } from './stream-sink.ts';
import { octetCounted } from './syslog-message.ts';

/** A syslog server that takes frames with their length in front, or nothing. */
class Receiver {
  readonly messages: string[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(reads: boolean) {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => {});
      if (reads) this.#read(socket);
      else socket.pause();
    });
  }

  static async start(reads = true, port = 0): Promise<Receiver> {
    const receiver = new Receiver(reads);
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    onTestFinished(() => receiver.stop());
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #read(socket: Socket): void {
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (;;) {
        const [head = '', length] = /^(\d+) /.exec(text) ?? [];
        if (length === undefined || text.length < head.length + Number(length)) return;
        this.messages.push(text.slice(head.length, head.length + Number(length)));
        text = text.slice(head.length + Number(length));
      }
    });
  }
}

function queueTo(port: number, mostBytes = 1_000_000) {
  const troubles: (Error | undefined)[] = [];
  const sink = new StreamSink({ host: '127.0.0.1', port });
  const queue = new AuditQueue({ sink, mostBytes, onTrouble: (error) => void troubles.push(error) });
  onTestFinished(() => queue.close(0));
  return { queue, troubles };
}

it('sends frames that begin with their length, in order', async () => {
  const receiver = await Receiver.start();
  const { queue } = queueTo(receiver.port);
  const messages = Array.from({ length: 5000 }, (_, index) => `message ${index} 12 34`);
  for (const message of messages) queue.write(octetCounted(message));
  await vi.waitFor(() => expect(receiver.messages).toEqual(messages));
  expect(receiver.sockets).toHaveLength(1);
});

it('connects anew where the server went, and sends what it had not taken', async () => {
  const port = await freePort(); // nobody gets it while the server is gone
  const receiver = await Receiver.start(true, port);
  const { queue, troubles } = queueTo(port);
  queue.write(octetCounted('before'));
  await vi.waitFor(() => expect(receiver.messages).toEqual(['before']));
  await receiver.stop();
  await vi.waitFor(() => {
    queue.write(octetCounted('lost, or not'));
    expect(troubles).toHaveLength(1);
  });
  queue.write(octetCounted('after'));
  const next = await Receiver.start(true, port);
  await vi.waitFor(() => expect(next.messages.at(-1)).toBe('after'));
  expect(troubles).toEqual([expect.any(Error), undefined]);
});

it('keeps a bounded number of bytes for a server that takes nothing', async () => {
  const receiver = await Receiver.start(false);
  const { queue } = queueTo(receiver.port, 100_000);
  const message = octetCounted('x'.repeat(990));
  // more than the system itself keeps for a connection
  await vi.waitFor(() => {
    for (let i = 0; i < 1000; i++) queue.write(message);
    expect(receiver.sockets).toHaveLength(1);
    expect(queue.dropped).toBeGreaterThan(5000);
  });
  expect(queue.waiting).toBeLessThanOrEqual(100);
});
