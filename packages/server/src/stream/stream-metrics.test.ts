import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';

const numbers = ({ node }: TestServer) =>
  (['negotiating', 'authenticated', 'bound', 'closing'] as const).map(
    (state) => node.registry.metrics.streams.with({ kind: 'c2s', state }).value,
  );

it('counts streams by what they have reached', async () => {
  const server = await startServer();
  expect(numbers(server)).toEqual([0, 0, 0, 0]);
  const stranger = server.connect();
  const romeo = await server.client('romeo@localhost/orchard');
  server.connect();
  expect(numbers(server)).toEqual([2, 0, 1, 0]);
  [...server.node.streams][0]?.authenticated(Jid.parse('juliet@localhost'), 'TEST');
  expect(numbers(server)).toEqual([1, 1, 1, 0]);
  stranger.break();
  await romeo.close();
  expect(numbers(server)).toEqual([1, 0, 0, 0]);
});
