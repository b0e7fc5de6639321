import { createConnection, type Socket } from 'node:net';
import { Registry } from '@parley/metrics/registry';
import { Jid } from '@parley/xmpp/jid';
import { PresenceFilter } from 'ldapts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Slapd } from '../../../../../tests/services/slapd.ts';
import { PEOPLE, personDn, SERVICE } from '../../../../../tests/services/slapd-files.ts';
import { DirectoryAway } from './directory-error.ts';
import { directoryOf, HeardLog, rudeServer } from './testing.ts';

const romeo = Jid.parse('romeo@localhost');
const everybody = { filter: new PresenceFilter({ attribute: 'mail' }), attributes: ['mail'] };
const seconds = (since: number) => (performance.now() - since) / 1000;

let slapd: Slapd;
beforeAll(async () => {
  slapd = await Slapd.startLasting();
});
afterAll(() => slapd.end());

describe('encryption', () => {
  const urls = (server: Slapd) => ({ StartTLS: server.url, ldaps: server.tlsUrl });

  test.each(['StartTLS', 'ldaps'] as const)('by %s, with a good certificate', async (how) => {
    const directory = directoryOf(slapd, { servers: [urls(slapd)[how]] });
    expect((await directory.findPerson(romeo))?.dn).toBe(personDn('romeo'));
    expect((await directory.bindAs(personDn('romeo'), 'pw-romeo')).kind).toBe('accepted');
  });

  test.each([
    ['expired', 'has expired: renew it there'],
    ['wrong-host', 'is not for localhost: write in `servers` a name that it is for'],
    ['unknown-authority', 'Nobody who is trusted vouches for the certificate'],
  ] as const)('is refused with an %s certificate, and comes back by itself with a good one', async (kind, words) => {
    const bad = await Slapd.start({ certificate: kind });
    for (const url of Object.values(urls(bad))) {
      const heard = new HeardLog();
      const directory = directoryOf(bad, { servers: [url] }, heard.log);
      await expect(directory.bindAs(personDn('romeo'), 'pw-romeo')).rejects.toThrow(words);
      expect(await heard.hear('directory.server.away')).toMatchObject({ server: url, level: 'warn' });
    }
    const heard = new HeardLog();
    const directory = directoryOf(bad, {}, heard.log);
    await expect(directory.findPerson(romeo)).rejects.toThrow(DirectoryAway);
    await bad.restart('good');
    await heard.hear('directory.server.back');
    expect(await directory.findPerson(romeo)).toBeDefined();
  });

  test('is refused where the machine does not trust the authority', async () => {
    const directory = directoryOf(slapd, { authorities: undefined });
    await expect(directory.findPerson(romeo)).rejects.toThrow('name in `authorities` a file');
  });

  test('does not begin with what somebody has put behind the answer to StartTLS', async () => {
    // The answer, and the beginning of another message
    const answer = Buffer.from('300c02010178070a010004000400300c', 'hex');
    const { url } = await rudeServer((socket) => socket.once('data', () => socket.write(answer)));
    const directory = directoryOf(slapd, { servers: [url] });
    await expect(directory.findPerson(romeo)).rejects.toThrow('sends what was not asked for before encryption');
  });

  test('is not done without where the server has no StartTLS', async () => {
    const answer = Buffer.from('300c02010178070a013504000400', 'hex'); // unwilling to perform
    const { url, taken } = await rudeServer((socket) => socket.once('data', () => socket.write(answer)));
    const directory = directoryOf(slapd, { servers: [url] });
    await expect(directory.findPerson(romeo)).rejects.toThrow('refuses StartTLS (53');
    expect(taken[0]?.bytesRead).toBeLessThan(40); // no bind
  });
});

test('a wrong password of the account that asks is told in words', async () => {
  const heard = new HeardLog();
  const directory = directoryOf(slapd, { bind: { dn: SERVICE.dn, password: 'wrong' } }, heard.log);
  await expect(directory.findPerson(romeo)).rejects.toThrow('correct `bind.dn` or `bind.password`');
  expect(JSON.stringify(heard.lines)).not.toContain('"wrong"');
});

describe('a server that fails', () => {
  test('in the middle of a search is followed by another one, and preferred again when it works', async () => {
    const first = await Slapd.start();
    const heard = new HeardLog();
    const { metrics } = new Registry();
    const authorities = `${first.authorities}`;
    const servers = [first.url, slapd.url.replace('ldap:', 'ldap:')];
    const directory = directoryOf(
      first,
      { servers, authorities, startTls: false, allowUnencrypted: true },
      heard.log,
      metrics,
    );
    expect(await directory.findPerson(romeo)).toBeDefined();
    await first.halt();
    const found = directory.search(PEOPLE, everybody);
    await first.kill();
    expect(await found).toHaveLength(6);
    expect(await heard.hear('directory.server.away')).toMatchObject({
      server: first.url,
      message: expect.stringContaining('Other servers of the directory are asked'),
    });
    expect(metrics.directoryServersAway.with({ directory: 'corp' }).value).toBe(1);
    expect(await directory.findPerson(romeo)).toBeDefined();
    await first.restart();
    expect(await heard.hear('directory.server.back')).toMatchObject({ server: first.url });
    expect(metrics.directoryServersAway.with({ directory: 'corp' }).value).toBe(0);
    await first.modify(personDn('romeo'), { title: ['asked here'] });
    const [entry] = await directory.search(personDn('romeo'), { ...everybody, scope: 'base', attributes: ['title'] });
    expect(entry?.text('TITLE')).toBe('asked here');
  });

  test('because nothing listens fails at once, and is asked again when it works', async () => {
    const only = await Slapd.start();
    const heard = new HeardLog();
    const directory = directoryOf(only, {}, heard.log);
    expect(await directory.findPerson(romeo)).toBeDefined();
    await only.kill();
    await expect(directory.findPerson(romeo)).rejects.toThrow('Nothing listens');
    await expect(directory.bindAs(personDn('romeo'), 'pw-romeo')).rejects.toThrow('No server works');
    expect((await heard.hear('directory.server.away')).message).toMatch(/Nothing listens.*who is logged in stays/);
    await only.restart();
    await heard.hear('directory.server.back');
    expect((await directory.bindAs(personDn('romeo'), 'pw-romeo')).kind).toBe('accepted');
    expect(heard.of('directory.server.away')).toHaveLength(1);
  });

  test('by saying nothing fails within 5 s, and then at once', async () => {
    const { url } = await rudeServer();
    const times = { connectTimeoutSeconds: 2, timeoutSeconds: 2, answerSeconds: 4 };
    const directory = directoryOf(slapd, { servers: [url], ...times });
    const since = performance.now();
    const crowd = Array.from({ length: 100 }, () => directory.bindAs(personDn('romeo'), 'pw-romeo'));
    const ends = Promise.allSettled(crowd);
    await expect(directory.findPerson(romeo)).rejects.toThrow('in time');
    for (const { status } of await ends) expect(status).toBe('rejected');
    expect(seconds(since)).toBeLessThan(60); // one after the other it were minutes
    await expect(directory.bindAs(personDn('romeo'), 'pw-romeo')).rejects.toThrow('No server works'); // nor is asked
  });

  test('by falling silent leaves time for another one', async () => {
    const first = await Slapd.start();
    const more = { servers: [first.url, slapd.url], startTls: false, allowUnencrypted: true, timeoutSeconds: 3 };
    const directory = directoryOf(slapd, more);
    expect(await directory.findPerson(romeo)).toBeDefined(); // there is a connection
    await first.halt();
    expect(await directory.findPerson(romeo)).toBeDefined();
    expect((await directory.bindAs(personDn('romeo'), 'pw-romeo')).kind).toBe('accepted');
  });

  test('by sending what is no LDAP', async () => {
    const { url } = await rudeServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const directory = directoryOf(slapd, { servers: [url, slapd.url] });
    expect(await directory.findPerson(romeo)).toBeDefined();
  });

  test('and is slow, but not too slow, is waited for', async () => {
    const waits = 0.2;
    const slowly = (from: Socket, to: Socket) =>
      from.on('data', (chunk) => void setTimeout(() => to.write(chunk), waits * 1000)).on('close', () => to.destroy());
    const { url } = await rudeServer((socket) => {
      const other = createConnection(slapd.port, '127.0.0.1').on('error', () => {});
      slowly(socket, other);
      slowly(other, socket);
    });
    const directory = directoryOf(slapd, { servers: [url] });
    const since = performance.now();
    expect(await directory.findPerson(romeo)).toBeDefined();
    expect(seconds(since)).toBeGreaterThan(4 * waits);
  });
});

test('a restart of the server between two questions is not felt', async () => {
  const only = await Slapd.start();
  const heard = new HeardLog();
  const directory = directoryOf(only, {}, heard.log);
  const works = async () => {
    expect(await directory.findPerson(romeo)).toBeDefined();
    expect((await directory.bindAs(personDn('romeo'), 'pw-romeo')).kind).toBe('accepted');
  };
  await works();
  await only.restart();
  await works();
  expect(heard.lines).toEqual([]);
});

test('a password is tried as nobody else, whoever was there before', async () => {
  const { metrics } = new Registry();
  const directory = directoryOf(slapd, { connections: 1 }, undefined, metrics);
  for (const [uid, password, kind] of [
    ['romeo', 'pw-romeo', 'accepted'],
    ['juliet', 'pw-romeo', 'wrong'],
    ['juliet', 'pw-juliet', 'accepted'],
    ['nobody', 'pw-juliet', 'wrong'],
    ['romeo', 'pw-juliet', 'wrong'],
    ['romeo', 'pw-romeo', 'accepted'],
  ] as const) {
    expect((await directory.bindAs(personDn(uid), password)).kind).toBe(kind);
  }
  expect(metrics.directoryConnections.with({ directory: 'corp' }).value).toBe(1);
});

test('no more connections are made than are allowed, and they are used again', async () => {
  const { metrics } = new Registry();
  const directory = directoryOf(slapd, { connections: 3 }, undefined, metrics);
  const connections = () => metrics.directoryConnections.with({ directory: 'corp' }).value;
  const waiting = () => metrics.directoryWaiting.with({ directory: 'corp' }).value;
  const searches = Array.from({ length: 100 }, () => directory.search(PEOPLE, everybody));
  expect(waiting()).toBe(97);
  for (const found of await Promise.all(searches)) expect(found).toHaveLength(6);
  expect(connections()).toBe(3);
  expect(waiting()).toBe(0);
  const passwords = Array.from({ length: 30 }, () => directory.bindAs(personDn('romeo'), 'pw-romeo'));
  for (const { kind } of await Promise.all(passwords)) expect(kind).toBe('accepted');
  const calls = metrics.directoryCalls;
  expect(calls.with({ operation: 'search', outcome: 'answered' }).value).toBe(100);
  expect(calls.with({ operation: 'password', outcome: 'answered' }).value).toBe(30);
  expect(connections()).toBeLessThanOrEqual(6);
  await directory.close();
  await vi.waitFor(() => expect(connections()).toBe(0));
});
