import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';

const conflict = `<conflict xmlns='${NS.streamErrors}'/>`;
const nonsense = `<nonsense xmlns='${NS.streamErrors}'/>`;

describe('a stream error of the client', () => {
  it.each([
    [conflict, 'conflict'],
    [nonsense, 'undefined-condition'],
    ['', 'undefined-condition'],
  ] as const)('%s ends the stream without an answer, and is counted', async (content, condition) => {
    const server = await startServer();
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send(`<stream:error>${content}</stream:error>`);
    await romeo.closed;
    expect(romeo.inbox).toEqual([]);
    expect(server.node.registry.metrics.streamErrors.with({ condition, direction: 'in' }).value).toBe(1);
    expect(server.node.sessions.size).toBe(0);
  });

  it('may come before a login as well', async () => {
    const server = await startServer();
    const stranger = server.connect();
    stranger.open('localhost');
    stranger.send(`<stream:error>${conflict}</stream:error>`);
    await stranger.closed;
    expect(stranger.inbox.map(({ name }) => name)).toEqual(['features']);
  });
});

it('knows nothing else of its namespace', async () => {
  const server = await startServer();
  const romeo = await server.client('romeo@localhost/orchard');
  romeo.send('<stream:features/>');
  await romeo.closed;
  expect(romeo.inbox.at(-1)?.firstChild?.name).toBe('unsupported-stanza-type');
});
