import { expect, it } from 'vitest';
import type { Stream } from './stream.ts';
import { Streams } from './streams.ts';

const stream = () => ({}) as Stream;

it('knows who has not authenticated, the oldest first', () => {
  const streams = new Streams();
  const [a, b, c] = [stream(), stream(), stream()];
  for (const each of [a, b, c]) streams.add(each);
  streams.authenticated(a);
  expect([streams.size, streams.unauthenticated, streams.oldestUnauthenticated]).toEqual([3, 2, b]);
  streams.remove(b);
  streams.authenticated(c);
  expect([streams.size, streams.unauthenticated, streams.oldestUnauthenticated]).toEqual([2, 0, undefined]);
  expect([...streams]).toEqual([a, c]);
});

it('keeps those that are over until their connection is gone, and tells when all are', async () => {
  const streams = new Streams();
  await streams.gone();
  const [a, b] = [stream(), stream()];
  streams.add(a);
  streams.add(b);
  let told = 0;
  const gone = Promise.all([streams.gone(), streams.gone()]).then(() => told++);
  streams.remove(a);
  streams.remove(a);
  streams.remove(b);
  expect([streams.size, streams.connected, [...streams.closing]]).toEqual([0, 2, [a, b]]);
  streams.disconnected(a);
  streams.disconnected(a);
  await Promise.resolve();
  expect([streams.connected, told]).toEqual([1, 0]);
  streams.disconnected(b);
  await gone;
  expect([streams.connected, told]).toEqual([0, 1]);
});

it('keeps nothing of a stream that was never added', () => {
  const streams = new Streams();
  streams.remove(stream());
  expect(streams.connected).toBe(0);
});
