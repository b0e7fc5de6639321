import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, vi } from 'vitest';
import { TestRosters } from '../../../../../tests/support/rosters.ts';
import { startServer } from '../../../../../tests/support/server.ts';
import module from './last-activity.ts';

const LAST = `<query xmlns='${NS.last}'/>`;
const rosters = new TestRosters();

async function start() {
  const server = await startServer({ modules: [rosters.module, module] });
  await rosters.permit('juliet@localhost', 'romeo@localhost');
  return { server, romeo: await server.client('romeo@localhost/orchard') };
}

it('of the server is since when it runs', async () => {
  const { romeo } = await start();
  const before = process.uptime();
  const query = (await romeo.request('get', LAST, 'localhost')).firstChild;
  const seconds = Number(query?.attr('seconds'));
  expect([seconds >= Math.floor(before), seconds <= process.uptime()]).toEqual([true, true]);
  expect(query?.text).toBe('');
});

it('of an account is since when it is away, with what was said last', async () => {
  const { server, romeo } = await start();
  const juliet = await server.client('juliet@localhost/balcony');
  const left = Date.now();
  const now = vi.spyOn(Date, 'now').mockReturnValue(left);
  juliet.send(`<presence type='unavailable'><status>Heading Home</status></presence>`);
  await juliet.close();
  now.mockReturnValue(left + 903_500);
  const query = (await romeo.request('get', LAST, 'juliet@localhost')).firstChild;
  expect([query?.attr('seconds'), query?.text]).toEqual(['903', 'Heading Home']);
});

it('is never in the future', async () => {
  const { server, romeo } = await start();
  await (await server.client('juliet@localhost/balcony')).close();
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
  expect((await romeo.request('get', LAST, 'juliet@localhost')).firstChild?.attr('seconds')).toBe('0');
});

it('of an account that is connected is now', async () => {
  const { server, romeo } = await start();
  const first = await server.client('juliet@localhost/balcony');
  await server.client('juliet@localhost/chamber');
  first.send(`<presence type='unavailable'><status>Heading Home</status></presence>`);
  await first.close();
  expect(String((await romeo.request('get', LAST, 'juliet@localhost')).firstChild)).toBe(
    `<query xmlns='${NS.last}' seconds='0'/>`,
  );
});

it('does not repeat what was said before somebody came back', async () => {
  const { server, romeo } = await start();
  const juliet = await server.client('juliet@localhost/balcony');
  juliet.send(`<presence type='unavailable'><status>Heading Home</status></presence><presence/>`);
  juliet.break();
  expect((await romeo.request('get', LAST, 'juliet@localhost')).firstChild?.text).toBe('');
});

it('of an account that was never there is not known', async () => {
  const { server, romeo } = await start();
  await server.account('juliet@localhost');
  expect((await romeo.request('get', LAST, 'juliet@localhost')).child('error')?.firstChild?.name).toBe(
    'item-not-found',
  );
});

it('is for those who may see the presence, and asks the clients of nobody else', async () => {
  const { server, romeo } = await start();
  const juliet = await server.client('juliet@localhost/balcony');
  const tybalt = await server.client('tybalt@localhost/street');
  for (const to of ['juliet@localhost', 'juliet@localhost/balcony', 'juliet@localhost/nowhere']) {
    const refused = (await tybalt.request('get', LAST, to)).child('error');
    expect([to, refused?.attr('type'), refused?.firstChild?.name]).toEqual([to, 'cancel', 'service-unavailable']);
  }
  expect(await juliet.sync()).toEqual([]);

  const idle = romeo.request('get', LAST, 'juliet@localhost/balcony');
  const asked = await juliet.nextIq('romeo@localhost/orchard');
  juliet.send(
    `<iq type='result' id='${asked.attr('id')}' to='romeo@localhost/orchard'><query xmlns='${NS.last}' seconds='123'/></iq>`,
  );
  expect((await idle).firstChild?.attr('seconds')).toBe('123');
});

it('leaves no trace of an account that was removed', async () => {
  const { server, romeo } = await start();
  const juliet = await server.client('juliet@localhost/balcony');
  server.accounts.onChange(({ change }) => {
    if (change === 'removed') juliet.break();
  });
  await server.accounts.remove?.(Jid.parse('juliet@localhost'));
  await server.account('juliet@localhost');
  expect((await romeo.request('get', LAST, 'juliet@localhost')).child('error')?.firstChild?.name).toBe(
    'item-not-found',
  );
});
