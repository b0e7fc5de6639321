import { beforeEach, describe, expect, test } from 'vitest';
import { Slapd, type SlapdOptions } from '../services/slapd.ts';
import { GROUPS, PEOPLE, personDn } from '../services/slapd-files.ts';
import type { TestClient } from '../support/client.ts';
import { arrived, presenceOf, push, roster, words } from '../support/contacts.ts';
import type { TestServer } from '../support/server.ts';
import { login, startDirectoryServer } from './server.ts';

const groupDn = (name: string) => `cn=${name},${GROUPS}`;

/** A server whose directory has these groups, and has told everything. */
async function start(slapd: Slapd, groups: object = {}, more: object = {}): Promise<TestServer> {
  const server = await startDirectoryServer(slapd, {
    directory: { groups: { base: GROUPS, ...groups }, ...more },
  });
  await expect.poll(() => server.node.groups.isKnown('verona')).toBe(true);
  return server;
}

const members = (server: TestServer, group: string) =>
  [...server.node.groups.all]
    .filter(({ name }) => name === group)
    .flatMap((each) => [...each.members.values()].map(({ jid, name }) => `${jid.local} ${name}`))
    .sort();

const add = (slapd: Slapd, group: string, attribute: string, value: string) =>
  slapd.change(`dn: ${groupDn(group)}\nchangetype: modify\nadd: ${attribute}\n${attribute}: ${value}\n`);
const remove = (slapd: Slapd, group: string, attribute: string, value: string) =>
  slapd.change(`dn: ${groupDn(group)}\nchangetype: modify\ndelete: ${attribute}\n${attribute}: ${value}\n`);

async function whoWatches(server: TestServer, local: string): Promise<TestClient> {
  const client = await server.client(`${local}@localhost/x`);
  await roster(client);
  client.send('<presence/>');
  await presenceOf(client, undefined, client.jid);
  return client;
}

const contacts = async (client: TestClient) =>
  (await roster(client))?.elements
    .map((item) => `${words(item)} ${item.attr('name')} [${item.elements.map(({ text }) => text).join(', ')}]`)
    .sort();

async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  return Slapd.start({ domain: 'localhost', ...options });
}

describe('people of one group', () => {
  let slapd: Slapd;
  let server: TestServer;

  beforeEach(async () => {
    slapd = await startSlapd();
    server = await start(slapd, { show: [{ groups: ['lovers'] }] });
  });

  test('see each other online, by the names that the directory has', async () => {
    const juliet = await whoWatches(server, 'juliet');
    const romeo = await whoWatches(server, 'romeo');
    expect(await contacts(juliet)).toEqual(['romeo@localhost both Romeo Montague [lovers]']);
    await presenceOf(romeo, undefined, juliet.jid);
    await presenceOf(juliet, undefined, romeo.jid);
    expect(await contacts(await whoWatches(server, 'tybalt'))).toEqual([]);
  });

  test('are told of who comes into it, who goes, and who is called otherwise', async () => {
    const juliet = await whoWatches(server, 'juliet');
    const tybalt = await whoWatches(server, 'tybalt');
    await juliet.sync();
    await add(slapd, 'lovers', 'member', personDn('tybalt'));
    expect(words(await push(juliet))).toBe('tybalt@localhost both');
    await presenceOf(juliet, undefined, tybalt.jid);
    await slapd.modify(personDn('tybalt'), { displayName: ['Tybalt, Prince of Cats'] });
    expect((await push(juliet)).attr('name')).toBe('Tybalt, Prince of Cats');
    await remove(slapd, 'lovers', 'member', personDn('tybalt'));
    expect(words(await push(juliet))).toBe('tybalt@localhost remove');
    await presenceOf(juliet, 'unavailable', tybalt.jid);
    expect(await arrived(juliet)).toEqual([]);
  });

  test('are parted when the group is gone, and when one of them is', async () => {
    const juliet = await whoWatches(server, 'juliet');
    await add(slapd, 'lovers', 'member', personDn('benvolio'));
    expect(words(await push(juliet))).toBe('benvolio@localhost both');
    await slapd.remove(personDn('benvolio'));
    expect(words(await push(juliet))).toBe('benvolio@localhost remove');
    await slapd.remove(groupDn('lovers'));
    expect(words(await push(juliet))).toBe('romeo@localhost remove');
    expect(server.node.groups.isKnown('lovers')).toBe(false);
  });

  test('stay together when the entries of them and of the group have other names', async () => {
    const juliet = await whoWatches(server, 'juliet');
    const removed: string[] = [];
    server.node.groups.onChange((change) => void removed.push(...change.removed.map(String)));
    await slapd.change(`dn: ${personDn('romeo')}\nchangetype: modrdn\nnewrdn: uid=rom\ndeleteoldrdn: 1\n`);
    await slapd.change(`dn: ${groupDn('lovers')}\nchangetype: modrdn\nnewrdn: cn=pair\ndeleteoldrdn: 1\n`);
    await slapd.modify(personDn('juliet'), { description: ['so that something comes after it'] });
    await expect.poll(() => members(server, 'pair')).toEqual(['juliet Juliet Capulet', 'romeo Romeo Montague']);
    expect(removed).toEqual([]); // not even for a moment
    expect(await contacts(juliet)).toEqual([]); // no rule shows this name
    expect(words(await push(juliet))).toBe('romeo@localhost remove');
  });
});

describe('groups in groups', () => {
  test('have all their members, in however many circles, and as deep as may be', async () => {
    const slapd = await startSlapd();
    await add(slapd, 'montagues', 'member', groupDn('verona'));
    const server = await start(slapd);
    expect(members(server, 'verona')).toHaveLength(6);
    expect(members(server, 'montagues')).toEqual(members(server, 'verona'));
    expect(members(server, 'capulets')).toHaveLength(3);
    await remove(slapd, 'montagues', 'member', groupDn('verona'));
    await expect.poll(() => members(server, 'montagues').length).toBe(3);
    await remove(slapd, 'capulets', 'member', personDn('tybalt'));
    await expect.poll(() => members(server, 'verona')).toHaveLength(5);
    await slapd.remove(groupDn('capulets'));
    await expect.poll(() => members(server, 'verona')).toHaveLength(3);
  });

  test('are not looked into where they are not to be', async () => {
    const slapd = await startSlapd();
    const server = await start(slapd, { nestedDepth: 0 });
    expect(members(server, 'verona')).toEqual([]);
  });
});

test('groups may name their members by their login names', async () => {
  const slapd = await startSlapd({ global: 'include /etc/ldap/schema/nis.schema' });
  await slapd.change(
    `dn: ${groupDn('unix')}\nobjectClass: posixGroup\ncn: unix\ngidNumber: 1\nmemberUid: romeo\nmemberUid: nobody\n`,
  );
  const server = await start(slapd, { label: 'description', show: [{ groups: ['u*x'] }] });
  expect(members(server, 'unix')).toEqual(['romeo Romeo Montague']);
  await add(slapd, 'unix', 'memberUid', 'juliet');
  await add(slapd, 'unix', 'description', 'Everybody with a shell');
  await expect.poll(() => members(server, 'unix')).toHaveLength(2);
  const juliet = await whoWatches(server, 'juliet');
  await expect.poll(() => contacts(juliet)).toContain('romeo@localhost both Romeo Montague [Everybody with a shell]');
});

describe('groups that may log in', () => {
  test('let in their members alone, and whoever is taken out of them is logged out', async () => {
    const slapd = await startSlapd();
    const server = await start(slapd, { mayLogIn: ['Lovers'] });
    expect(await login(server, 'romeo', 'pw-romeo')).toEqual(['success', '']);
    const [condition, text] = await login(server, 'tybalt', 'pw-tybalt');
    expect([condition, text]).toEqual(['account-disabled', expect.stringContaining('in no group')]);
    expect(await login(server, 'tybalt', 'wrong')).toEqual(['not-authorized', '']);
    const romeo = await whoWatches(server, 'romeo');
    await remove(slapd, 'lovers', 'member', personDn('romeo'));
    const error = await romeo.take(({ name, ns }) => name === 'error' && ns === 'http://etherx.jabber.org/streams');
    expect(error.elements.map((each) => each.text || each.name).join(' ')).toMatch(/in no group/);
    await romeo.closed;
    expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('account-disabled');
    await add(slapd, 'lovers', 'member', personDn('tybalt'));
    await expect.poll(() => login(server, 'tybalt', 'pw-tybalt')).toEqual(['success', '']);
  });

  test('keep everybody waiting as long as they are not known', async () => {
    const slapd = await startSlapd();
    const server = await start(slapd, { mayLogIn: ['nowhere'] });
    expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('temporary-auth-failure');
  });
});

test('as many groups are known as there may be, and none that is too large', async () => {
  const slapd = await startSlapd();
  const server = await startDirectoryServer(slapd, { directory: { groups: { base: GROUPS, most: 2 } } });
  await expect.poll(() => [...server.node.groups.all].length).toBe(2);
  expect(server.log.filter(({ event }) => event === 'directory.groups')).toHaveLength(1);
  const other = await startDirectoryServer(slapd, { directory: { groups: { base: GROUPS, mostMembers: 2 } } });
  await expect.poll(() => [...other.node.groups.all].map(({ name }) => name)).toEqual(['lovers']);
  await remove(slapd, 'montagues', 'member', personDn('romeo'));
  await expect.poll(() => other.node.groups.isKnown('montagues')).toBe(true);
});

test('after a restart of the node it is seen what has changed meanwhile', async () => {
  const slapd = await startSlapd();
  const server = await start(slapd);
  const { node, keyspace } = server;
  await node.directories.stop();
  await remove(slapd, 'lovers', 'member', personDn('romeo'));
  await slapd.remove(groupDn('capulets'));
  await slapd.modify(personDn('juliet'), { displayName: ['Juliet Montague'] });
  const again = await startDirectoryServer(slapd, { keyspace, directory: { groups: { base: GROUPS } } });
  expect(again.node.groups.isKnown('capulets')).toBe(true); // as it was known before
  await expect.poll(() => members(again, 'lovers')).toEqual(['juliet Juliet Montague']);
  await expect.poll(() => again.node.groups.isKnown('capulets')).toBe(false);
});

test('a group of 2,000 is taken over whole, and a change of one costs no more than one', async () => {
  const uids = Array.from({ length: 2000 }, (_, i) => `sailor${i}`);
  const people = uids.map(
    (uid) =>
      `dn: uid=${uid},${PEOPLE}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\nmail: ${uid}@localhost\n`,
  );
  const slapd = await startSlapd({ ldif: people.join('\n'), global: 'sizelimit unlimited' });
  const all = uids.map((uid) => `member: uid=${uid},${PEOPLE}`).join('\n');
  await slapd.change(`dn: ${groupDn('crew')}\nobjectClass: groupOfNames\ncn: crew\n${all}\n`);
  const server = await start(slapd, { show: [{ groups: ['crew'] }] });
  await expect.poll(() => members(server, 'crew').length).toBe(2000);
  const watching = await whoWatches(server, 'sailor7');
  expect(await contacts(watching)).toHaveLength(1999);
  const told: number[] = [];
  server.node.groups.onChange(({ added, removed }) => void told.push(added.length + removed.length));
  await add(slapd, 'crew', 'member', personDn('juliet'));
  expect(words(await push(watching))).toBe('juliet@localhost both');
  await remove(slapd, 'crew', 'member', personDn('sailor9'));
  expect(words(await push(watching))).toBe('sailor9@localhost remove');
  expect(told).toEqual([1, 1]);
  expect(await arrived(watching)).toEqual([]);
});
