import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { startServer } from '../../../../tests/support/server.ts';
import ping from './0199-ping/ping.ts';
import streamLimits from './0478-stream-limits.ts';

const limitsOf = (client: TestClient) => String(client.features?.child('limits', NS.streamLimits));

it('tells what is accepted before and after authentication, and when a stream is idle', async () => {
  const server = await startServer({
    modules: [ping, streamLimits],
    config: {
      stream: { beforeAuthentication: { maxElementBytes: 9000 }, afterAuthentication: { maxStanzaBytes: 123_456 } },
      modules: { ping: { idleSeconds: 200 } },
    } as never,
  });
  const client = server.connect();
  client.open('localhost');
  await client.next();
  expect(limitsOf(client)).toBe(`<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>9000</max-bytes></limits>`);
  expect(limitsOf(await server.client('romeo@localhost'))).toBe(
    `<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>123456</max-bytes><idle-seconds>200</idle-seconds></limits>`,
  );
});

it('promises nothing of idle streams where nobody watches them', async () => {
  const server = await startServer({
    modules: [ping, streamLimits],
    config: { modules: { ping: { enabled: false } } } as never,
  });
  expect(limitsOf(await server.client('romeo@localhost'))).not.toContain('idle-seconds');
});
