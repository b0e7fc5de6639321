import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NS } from '@parley/xmpp/namespaces';
import { expect, onTestFinished, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { personDn, SERVICE } from '../services/slapd-files.ts';
import { plain } from '../support/login.ts';
import type { TestServer } from '../support/server.ts';
import { login, startDirectoryServer, stranger } from './server.ts';

type Parts = TestServer['node']['config']['directories'][number];

/** Reloads the configuration with this in place of what the directory's part says. */
async function reload(server: TestServer, change: (directory: Parts) => object) {
  const next = structuredClone(server.node.config);
  Object.assign(next.directories[0] as Parts, change(next.directories[0] as Parts));
  return server.node.reload(next);
}

const events = (server: TestServer, event: string) => server.log.filter((line) => line.event === event);
const followed = (server: TestServer, times: number) =>
  expect.poll(() => events(server, 'directory.followed').length).toBe(times);

test('another server, and another password of the account that asks, count from the next question on', async () => {
  const slapd = await Slapd.start();
  const server = await startDirectoryServer(slapd);
  await followed(server, 1);
  expect(await login(server, 'romeo', 'pw-romeo')).toEqual(['success', '']);
  await slapd.modify(SERVICE.dn, { userPassword: ['another-secret'] });
  const changes = await reload(server, ({ bind }) => ({
    servers: [slapd.tlsUrl],
    bind: { ...bind, password: 'another-secret' },
  }));
  const live = ['directories[corp].servers', 'directories[corp].bind.password'];
  expect(changes).toEqual({ live, restart: [] });
  expect(await login(server, 'romeo', 'pw-romeo')).toEqual(['success', '']);
  await followed(server, 2);
  const romeo = stranger(server);
  await plain(romeo, 'romeo', 'pw-romeo');
  await romeo.request('set', `<bind xmlns='${NS.bind}'/>`);
  await slapd.modify(personDn('romeo'), { pwdAccountLockedTime: ['000001010000Z'] });
  await romeo.closed; // what changes is heard of
  expect(events(server, 'directory.server.away')).toEqual([]);
  expect(events(server, 'directory.away')).toEqual([]);
});

test('an authority that is another one in the same file counts after a reload, and one that is none changes nothing', async () => {
  const [slapd, other] = [await Slapd.start(), await Slapd.start()];
  const folder = mkdtempSync(join(tmpdir(), 'parley-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const authorities = join(folder, 'authorities.pem');
  copyFileSync(other.authorities, authorities);
  const server = await startDirectoryServer(slapd, { directory: { authorities } });
  expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('temporary-auth-failure');
  copyFileSync(slapd.authorities, authorities);
  await reload(server, () => ({}));
  expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('success');
  rmSync(authorities);
  await expect(reload(server, () => ({ passwords: { ...passwords(server), help: 'Call 1234.' } }))).rejects.toThrow(
    /authorities names .*, which cannot be read/,
  );
  expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('success');
  expect(passwords(server).help).toBe('');
});

const passwords = (server: TestServer) => (server.node.config.directories[0] as Parts).passwords;

test('words, warnings, profiles and ways to follow are others at once; what makes accounts waits', async () => {
  const slapd = await Slapd.start();
  const server = await startDirectoryServer(slapd);
  await followed(server, 1);
  const juliet = await server.client('juliet@localhost/balcony');
  const name = async () =>
    (await juliet.request('get', `<vCard xmlns='${NS.vcard}'/>`, 'romeo@localhost')).firstChild?.childText('FN');
  expect(await name()).toBe('Romeo Montague');
  await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: ['000001010000Z'] });
  const changes = await reload(server, (directory) => ({
    passwords: { ...directory.passwords, tellLocked: true, help: 'Call 1234.' },
    synchronisation: { ...directory.synchronisation, mode: 'polling', pollSeconds: 1 },
    vcard: { ...directory.vcard, fields: { ...directory.vcard.fields, fullName: ['uid'] } },
    people: { ...directory.people, address: 'uid' },
  }));
  expect(changes.restart).toEqual(['directories[corp].people.address']);
  expect((await login(server, 'tybalt', 'pw-tybalt'))[1]).toMatch(/Call 1234\.$/);
  expect(await name()).toBe('romeo');
  await followed(server, 2);
  expect(events(server, 'directory.followed').at(-1)?.mode).toBe('polling');
  expect(events(server, 'directory.away')).toEqual([]);
});

test('a reload that changes nothing of a directory leaves it alone', async () => {
  const slapd = await Slapd.start();
  const server = await startDirectoryServer(slapd);
  await followed(server, 1);
  expect(await reload(server, () => ({}))).toEqual({ live: [], restart: [] });
  await server.node.reload({ ...server.node.config, admins: ['romeo@localhost'] });
  expect(events(server, 'directory.again')).toEqual([]);
});
