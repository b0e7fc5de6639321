// Groups of a real 389 Directory Server, and of something that answers as Active Directory does.
import { expect, test } from 'vitest';
import { ActiveDirectory } from '../services/active-directory.ts';
import { Directory389 } from '../services/directory-389.ts';
import { startServer, type TestServer } from '../support/server.ts';

function start(entry: object): Promise<TestServer> {
  const directory = { name: 'corp', startTls: false, allowUnencrypted: true, ...entry };
  return startServer({ config: { authentication: { accounts: ['corp'] }, directories: [directory] } as never });
}

/** Whom a group has as soon as it is as it should be. */
const members = (server: TestServer, group: string) =>
  expect.poll(() =>
    [...server.node.groups.all]
      .filter(({ name }) => name === group)
      .flatMap((each) => [...each.members.values()].map(({ jid }) => jid.local))
      .sort()
      .join(' '),
  );

test('a 389 Directory Server tells of its groups and what changes in them', async () => {
  const directory = await Directory389.start();
  for (const uid of ['romeo', 'juliet', 'tybalt']) await directory.addPerson(uid);
  const dn = `cn=lovers,${Directory389.people}`;
  await directory.change(
    `dn: ${dn}\nobjectClass: groupOfUniqueNames\ncn: lovers\nuniqueMember: ${Directory389.dn('romeo')}\nuniqueMember: ${Directory389.dn('juliet')}\n`,
  );
  await directory.change(
    `dn: cn=verona,${Directory389.people}\nobjectClass: groupOfNames\ncn: verona\nmember: ${dn}\nmember: ${Directory389.dn('tybalt')}\n`,
  );
  const server = await start({
    type: '389ds',
    servers: [directory.url],
    bind: Directory389.manager,
    people: { base: Directory389.people },
    groups: { base: Directory389.people },
  });
  await members(server, 'lovers').toBe('juliet romeo');
  await members(server, 'verona').toBe('juliet romeo tybalt');
  await directory.change(
    `dn: ${dn}\nchangetype: modify\ndelete: uniqueMember\nuniqueMember: ${Directory389.dn('romeo')}\n`,
  );
  await members(server, 'verona').toBe('juliet tybalt');
  await directory.change(`dn: ${dn}\nchangetype: delete\n`);
  await members(server, 'lovers').toBe('');
  await members(server, 'verona').toBe('tybalt');
  expect(server.node.groups.isKnown('lovers')).toBe(false);
});

test('Active Directory tells of groups in groups, and of large ones in ranges', async () => {
  const directory = await ActiveDirectory.start();
  const people = Array.from({ length: 1600 }, (_, i) => `sailor${i}`);
  for (const name of ['romeo', 'juliet', ...people]) directory.addPerson(name, { mail: `${name}@localhost` });
  directory.addGroup('lovers', ['romeo', 'juliet']);
  directory.addGroup('crew', [...people, `CN=lovers,OU=Groups,${ActiveDirectory.base}`]);
  const server = await start({
    type: 'activeDirectory',
    servers: [directory.url],
    bind: ActiveDirectory.service,
    people: { base: ActiveDirectory.people },
    groups: { base: ActiveDirectory.base },
  });
  await members(server, 'lovers').toBe('juliet romeo');
  await members(server, 'crew').toBe(['juliet', 'romeo', ...people].sort().join(' '));
  directory.change('lovers', { member: [`CN=juliet,${ActiveDirectory.people}`] });
  await members(server, 'lovers').toBe('juliet');
  await members(server, 'crew').toBe(['juliet', ...people].sort().join(' '));
  directory.rename('sailor7', 'captain');
  const lovers = `CN=lovers,OU=Groups,${ActiveDirectory.base}`;
  directory.change('crew', { member: [`CN=captain,${ActiveDirectory.people}`, lovers] });
  await members(server, 'crew').toBe('juliet sailor7');
  directory.remove('lovers');
  await members(server, 'crew').toBe('sailor7');
});

test('Active Directory’s primary group has those whom it does not name, in the groups around it, too', async () => {
  const directory = await ActiveDirectory.start();
  for (const name of ['romeo', 'juliet', 'tybalt']) directory.addPerson(name, { mail: `${name}@localhost` });
  directory.addGroup('Domain Users', [], 513);
  directory.addGroup('guests', ['romeo'], 1513);
  directory.addGroup('verona', [`CN=Domain Users,OU=Groups,${ActiveDirectory.base}`]);
  const server = await start({
    type: 'activeDirectory',
    servers: [directory.url],
    bind: ActiveDirectory.service,
    people: { base: ActiveDirectory.people },
    groups: { base: ActiveDirectory.base, mayLogIn: ['Domain Users'] },
  });
  await members(server, 'Domain Users').toBe('juliet romeo tybalt');
  await members(server, 'verona').toBe('juliet romeo tybalt');
  const romeo = await server.client('romeo@localhost/orchard');
  const roster = await romeo.request('get', `<query xmlns='jabber:iq:roster'/>`);
  const groups = (roster.firstChild?.elements ?? []).flatMap(({ elements }) => elements.map(({ text }) => text));
  expect([...new Set(groups)]).toEqual(['verona']); // that is no accident
  directory.change('romeo', { primaryGroupID: '1513' });
  await members(server, 'Domain Users').toBe('juliet tybalt');
  await members(server, 'verona').toBe('juliet tybalt');
  await members(server, 'guests').toBe('romeo');
  await romeo.closed; // nobody else may log in
  directory.remove('tybalt');
  await members(server, 'Domain Users').toBe('juliet');
});
