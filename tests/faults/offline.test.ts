import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startServer } from '../support/server.ts';

it('a stored message outlives the node, on its disk', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'parley-offline-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const keyspace = `embedded:${directory}`;
  {
    const server = await startServer({ keyspace });
    await server.account('juliet@localhost');
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send(`<message to='juliet@localhost' type='chat'><body>still here</body></message>`);
    await romeo.sync();
    await server.node.stop();
    await server.keyspace.close();
  }
  const server = await startServer({ keyspace });
  const juliet = await server.client('juliet@localhost/balcony');
  juliet.send('<presence/>');
  expect((await juliet.nextMessage()).childText('body')).toBe('still here');
});
