import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebClient } from './web-client.ts';

const client = new WebClient({ authorities: undefined, connections: 2 });

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path?x=1`);
}

const ask = (url: URL, form?: URLSearchParams, timeoutMs = 60_000) =>
  client.json({ url, ...(form && { form }), maxBytes: 100, timeoutMs });

test('what is asked arrives, and the answer comes back', async () => {
  const url = await serve(async ({ method, url: path, headers }, response) => {
    response.end(JSON.stringify({ method, path, type: headers['content-type'] ?? 'none' }));
  });
  expect(await ask(url)).toEqual({ method: 'GET', path: '/path?x=1', type: 'none' });
  expect(await ask(url, new URLSearchParams({ token: 'a' }))).toMatchObject({
    method: 'POST',
    type: 'application/x-www-form-urlencoded',
  });
});

test('a connection is used again, and made anew where the other side has closed it', async () => {
  const ports = new Set<unknown>();
  let close = false;
  const url = await serve(({ socket }, response) => {
    ports.add(socket.remotePort);
    if (close) {
      close = false;
      socket.resetAndDestroy();
    } else response.end('{}');
  });
  for (let i = 0; i < 3; i++) await ask(url);
  expect(ports.size).toBe(1);
  close = true;
  expect(await ask(url)).toEqual({});
  expect(ports.size).toBe(2);
});

test.each<[string, string, RequestListener]>([
  ['silence', 'late', () => undefined],
  ['a half answer', 'late', (_, response) => void response.write('{')],
  ['another place', 'refused', (_, response) => void response.writeHead(302, { location: '/' }).end()],
  ['a refusal', 'refused', (_, response) => void response.writeHead(401).end('{}')],
  ['its own trouble', 'away', (_, response) => void response.writeHead(503).end()],
  ['too much', 'refused', (_, response) => void response.end(`"${'x'.repeat(200)}"`)],
  ['no JSON', 'refused', (_, response) => void response.end('<html>')],
  ['a cut', 'away', ({ socket }) => void socket.destroy()],
])('%s is told as %s', async (_, outcome, listener) => {
  const timeoutMs = outcome === 'late' ? 200 : undefined;
  await expect(ask(await serve(listener), undefined, timeoutMs)).rejects.toMatchObject({
    name: 'WebClientError',
    outcome,
  });
});

test('nobody there is told', async () => {
  await expect(ask(new URL('http://127.0.0.1:1/'))).rejects.toMatchObject({ outcome: 'away' });
});
