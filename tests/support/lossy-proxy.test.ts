import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LossyProxy } from './lossy-proxy.ts';

/** A server that sends back what it gets, with its own name before it. */
async function echo(name: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('data', (bytes) => socket.write(`${name}:${bytes}`));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function dial(proxy: LossyProxy): Socket {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  return String((await once(socket, 'data'))[0]);
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

it('carries bytes both ways, and leads new connections to where it is told', async () => {
  const proxy = await LossyProxy.to(await echo('one'));
  const before = dial(proxy);
  expect(await ask(before, 'a')).toBe('one:a');
  proxy.redirect(await echo('two'));
  expect(await ask(dial(proxy), 'b')).toBe('two:b');
  expect(await ask(before, 'c')).toBe('one:c');
});

it('swallows what connections carry, their end included, while new ones are good', async () => {
  const proxy = await LossyProxy.to(await echo('one'));
  const dead = dial(proxy);
  expect(await ask(dead, 'a')).toBe('one:a');
  const heard: string[] = [];
  dead.on('data', (bytes) => heard.push(String(bytes)));
  expect(proxy.loseExisting('to the client')).toBe(1);
  dead.write('b');
  expect(await ask(dial(proxy), 'c')).toBe('one:c');
  expect([heard, dead.destroyed]).toEqual([[], false]);
  const ended = closed(dead);
  proxy.cut();
  await ended;
});

it('loses what new connections carry until it is cut', async () => {
  const proxy = await LossyProxy.to(await echo('one'));
  proxy.lose('both');
  const dead = dial(proxy);
  await vi.waitFor(() => expect(proxy.connections).toBe(1)); // the client may hear of it first
  dead.write('a');
  const ended = closed(dead);
  proxy.cut();
  await ended;
  expect(await ask(dial(proxy), 'b')).toBe('one:b');
});

it('holds back and hands on later, in order', async () => {
  const proxy = await LossyProxy.to(await echo('one'));
  const socket = dial(proxy);
  expect(await ask(socket, 'a')).toBe('one:a');
  proxy.freeze();
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes;
  });
  const other = dial(proxy);
  socket.write('b');
  const later = ask(other, 'c');
  expect(heard).toBe('');
  proxy.thaw();
  expect(await later).toBe('one:c');
  await vi.waitFor(() => expect(heard).toBe('one:b')); // nothing says which of the two comes first
  expect(await ask(socket, 'd')).toBe('one:d');
  expect(heard).toBe('one:bone:d');
});
