import { it } from 'vitest';
import { startServer } from '/work/main/tests/support/server.ts';

it('x', async () => {
  const t = Date.now();
  const log = (...a) => console.log(Date.now() - t, ...a);
  const server = await startServer();
  log(
    'started',
    server.nodes.map((n) => n.cluster?.members.length),
  );
  const romeo = await server.client('romeo@localhost/orchard');
  log('romeo');
}, 15000);
