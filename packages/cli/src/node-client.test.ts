import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { NodeClient } from './node-client.ts';

const HALF_A_MINUTE = 30_000;
const AN_HOUR = 3_600_000;

test('waits for long where a node reads a whole directory before it says anything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-client-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const socket = join(folder, 'parley.sock');
  const server = createServer((_request, response) => response.end('{}\n')).listen(socket);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const node = await NodeClient.require(socket);

  const asked = vi.spyOn(Socket.prototype, 'setTimeout');
  const patience = () => new Set(asked.mock.calls.splice(0).map(([milliseconds]) => milliseconds));
  await node.status();
  expect(patience()).toContain(HALF_A_MINUTE);
  const lists: AsyncIterable<unknown>[] = [node.data.export({}), node.accounts.list('localhost')];
  for (const list of lists) {
    expect(await Array.fromAsync(list)).toHaveLength(1);
    const times = patience();
    expect([times.has(AN_HOUR), times.has(HALF_A_MINUTE)]).toEqual([true, false]);
  }
});
