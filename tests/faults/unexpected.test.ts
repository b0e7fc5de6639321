import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { defineModule } from '@parley/server/module';
import { expect, it } from 'vitest';
import { Installation } from '../support/process.ts';
import { startServer } from '../support/server.ts';

it.each([
  [new Error('a bug'), { event: 'node.fault', level: 'error' }, 1],
  [
    new KeyspaceError('away', 'Redis is away.'),
    { event: 'keyspace.failed', level: 'warn', message: 'Redis is away.' },
    0,
  ],
])('logs %s of who only listens, and goes on', async (error, line, errors) => {
  const listening = defineModule({
    name: 'listening',
    setup({ hooks }) {
      hooks.events.on('session.bound', async () => {
        throw error;
      });
    },
  });
  const server = await startServer({ modules: [listening] });
  const romeo = await server.client('romeo@localhost/orchard');
  expect(await romeo.sync()).toEqual([]);
  expect(server.log.filter(({ level }) => level !== 'info')).toMatchObject([line]);
  expect(server.node.registry.metrics.errors.value).toBe(errors);
});

it('leaves a line of the log behind when it dies of a fault of its own', async () => {
  const installation = new Installation();
  const fault = join(installation.folder, 'fault.mjs');
  writeFileSync(fault, `process.on('SIGUSR2', () => { throw new Error('something that cannot be'); });`);
  const node = await installation.start({ flags: ['--import', fault] });
  const died = node.nextEvent('node.died');
  node.child.kill('SIGUSR2');
  expect(await died).toMatchObject({
    level: 'fatal',
    error: expect.objectContaining({ message: 'something that cannot be' }),
  });
  expect(await node.exited).not.toBe(0);
});
