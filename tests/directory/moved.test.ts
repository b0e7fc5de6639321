import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { personDn } from '../services/slapd-files.ts';
import { appear, befriend, push, roster, words } from '../support/contacts.ts';
import { login, startDirectoryServer } from './server.ts';

const NEW = 'montague@localhost';
const kept = `<query xmlns='${NS.private}'><a xmlns='urn:a'>kept</a></query>`;

it('an address that changes in the directory takes along all that is kept, and contacts have it at once', async () => {
  const slapd = await Slapd.start();
  const server = await startDirectoryServer(slapd);
  await expect.poll(() => server.log.map(({ event }) => event)).toContain('directory.followed');
  const juliet = await appear(server, 'juliet@localhost/balcony');
  const romeo = await appear(server, 'romeo@localhost/orchard');
  await befriend(romeo, juliet);
  await roster(juliet);
  await romeo.request('set', kept);
  await juliet.sync();

  await slapd.modify(personDn('romeo'), { mail: [NEW] });
  const error = await romeo.take(({ name, ns }) => name === 'error' && ns === NS.streams);
  expect(error.childText('text', NS.streamErrors)).toBe(`The address of this account is ${NEW} now.`);
  expect([words(await push(juliet)), words(await push(juliet))]).toEqual(['romeo@localhost remove', `${NEW} both`]);

  await expect.poll(() => server.log.map(({ event }) => event)).toContain('account.moved');
  expect(await login(server, 'romeo', 'pw-romeo')).toMatchObject(['not-authorized', expect.anything()]);
  expect(await login(server, 'montague', 'pw-romeo')).toMatchObject(['success', '']);
  const montague = await server.client(`${NEW}/orchard`);
  expect(String((await montague.request('get', kept)).firstChild)).toBe(kept);
  expect((await roster(montague))?.elements.map(words)).toEqual(['juliet@localhost both']);
  montague.send('<presence/>');
  await juliet.nextPresence(`${NEW}/orchard`);
});
