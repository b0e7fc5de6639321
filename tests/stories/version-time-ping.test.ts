import { parseDateTime } from '@parley/xmpp/date-time';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

it('a client asks the server for its software, its time and whether it is there', async () => {
  const server = await startServer();
  const romeo = await server.client('romeo@localhost/orchard');
  const version = (await romeo.request('get', `<query xmlns='${NS.version}'/>`, 'localhost')).firstChild;
  expect(version?.childText('name')).toBe('Parley');

  const before = Date.now();
  const time = (await romeo.request('get', `<time xmlns='${NS.time}'/>`, 'localhost')).firstChild;
  const told = parseDateTime(time?.childText('utc') ?? '');
  expect(told).toBeGreaterThanOrEqual(before);
  expect(told).toBeLessThanOrEqual(Date.now());

  expect((await romeo.request('get', `<ping xmlns='${NS.ping}'/>`)).attr('type')).toBe('result');
});

it('a client asks another client, whose answer comes through, or who is not there', async () => {
  const server = await startServer();
  const romeo = await server.client('romeo@localhost/orchard');
  const juliet = await server.client('juliet@localhost/balcony');
  juliet.send(`<presence to='${romeo.jid}'/>`); // who sees her may ask her
  await juliet.sync();
  const answer = romeo.request('get', `<ping xmlns='${NS.ping}'/>`, juliet.jid);
  const ping = await juliet.nextIq(romeo.jid);
  juliet.send(`<iq type='result' id='${ping.attr('id')}' to='${romeo.jid}'/>`);
  expect((await answer).attr('from')).toBe(juliet.jid);

  await juliet.close();
  const gone = await romeo.request('get', `<ping xmlns='${NS.ping}'/>`, juliet.jid);
  expect(gone.attr('from')).toBe(juliet.jid);
  expect(gone.child('error')?.firstChild?.name).toBe('service-unavailable');
});
