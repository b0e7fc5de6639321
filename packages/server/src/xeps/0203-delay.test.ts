import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import module from './0203-delay.ts';

it('takes away what claims that the server held a message back, and nothing else', async () => {
  const server = await startServer({ modules: [module] });
  const romeo = await server.client('romeo@localhost/orchard');
  const juliet = await server.client('juliet@localhost/balcony');
  const delay = (from: string) => `<delay xmlns='${NS.delay}' from='${from}' stamp='2002-09-10T23:08:25Z'/>`;
  const froms = ['LOCALHOST', 'romeo@localhost/orchard', 'localhost', 'coven@macbeth.shakespeare.lit'];
  romeo.send(`<message to='juliet@localhost/balcony'><body>x</body>${froms.map(delay).join('')}</message>`);
  const { elements } = await juliet.nextMessage();
  expect(elements.map((child) => child.attr('from'))).toEqual([
    undefined,
    'romeo@localhost/orchard',
    'coven@macbeth.shakespeare.lit',
  ]);
});
