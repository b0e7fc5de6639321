import { expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import module from './0106-jid-escaping.ts';

it('announces itself under its peculiar name', () => {
  expect(module.features).toEqual([String.raw`jid\20escaping`]);
});

it('lets an escaped name be an account like any other, relayed as it is', async () => {
  const server = await startServer({ modules: [module] });
  const name = String.raw`d\27artagnan@localhost`;
  const porthos = await server.client('porthos@localhost/gate');
  const artagnan = await server.client(`${name}/elder`);
  porthos.send(`<message to='${name}/elder'><body>And do you always forget your eyes when you run?</body></message>`);
  expect((await artagnan.nextMessage()).attr('to')).toBe(`${name}/elder`);
  expect(artagnan.bare).toBe(name);
});
