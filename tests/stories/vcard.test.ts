import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

const EMPTY = `<vCard xmlns='${NS.vcard}'/>`;
const card = (name: string) => `<vCard xmlns='${NS.vcard}'><FN>${name}</FN></vCard>`;

it('everybody reads what the owner alone writes, also while the owner is away', async () => {
  const server = await startServer();
  const jer = await server.client('jer@localhost/home');
  const peter = await server.client('stpeter@localhost/roundabout');
  expect((await jer.request('set', card('Jeremie Miller'))).attr('type')).toBe('result');
  await jer.close();

  const answer = await peter.request('get', EMPTY, 'jer@localhost');
  expect(answer.attr('from')).toBe('jer@localhost');
  expect(answer.firstChild?.childText('FN')).toBe('Jeremie Miller');

  const refused = await peter.request('set', card('Mallory'), 'jer@localhost');
  expect(refused.child('error')?.attr('type')).toBe('cancel');
  expect((await peter.request('get', EMPTY, 'jer@localhost')).firstChild?.childText('FN')).toBe('Jeremie Miller');
});

it('who has no vCard looks like who does not exist', async () => {
  const server = await startServer();
  const peter = await server.client('stpeter@localhost/roundabout');
  await server.account('jer@localhost');
  const [account, nobody] = [
    await peter.request('get', EMPTY, 'jer@localhost'),
    await peter.request('get', EMPTY, 'nobody@localhost'),
  ];
  expect(account.child('error')?.firstChild?.name).toBe('service-unavailable');
  expect(String(account.child('error'))).toBe(String(nobody.child('error')));
});
