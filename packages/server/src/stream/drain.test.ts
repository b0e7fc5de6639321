import { expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';

it('closes all streams, and waits for what they have begun', async () => {
  const work = Promise.withResolvers<void>();
  let begun = 0;
  const slow = defineModule({
    name: 'slow',
    setup({ hooks }) {
      hooks.fromClient.use('deliver', async ({ kind }) => {
        if (kind !== 'message') return false;
        begun++;
        await work.promise;
        return true;
      });
    },
  });
  const server = await startServer({ modules: [slow] });
  const strangers = Array.from({ length: 250 }, () => server.connect());
  const romeo = await server.client('romeo@localhost/orchard');
  romeo.send(`<message to='juliet@localhost'/>`);
  expect(begun).toBe(1);

  let stopped = false;
  const stop = server.node.stop().then(() => {
    stopped = true;
  });
  for (const client of [...strangers, romeo]) {
    await client.closed;
    expect(client.inbox.at(-1)?.firstChild?.name).toBe('system-shutdown');
  }
  expect([stopped, server.node.streams.connected, server.node.hooks.pending.count]).toEqual([false, 0, 1]);
  work.resolve();
  await stop;
  expect(server.node.hooks.pending.count).toBe(0);
});
