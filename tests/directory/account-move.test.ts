import { openKeyspace } from '@parley/keyspace/open';
import { vcardKeys } from '@parley/server/xeps/0054-vcard/vcard-store';
import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { PEOPLE, personDn, personEntry, SERVICE } from '../services/slapd-files.ts';
import { Installation } from '../support/process.ts';
import { login, startDirectoryServer } from './server.ts';

it('what somebody had at a former address is moved to the one in the directory by hand', async () => {
  const slapd = await Slapd.start();
  const installation = new Installation({
    authentication: { accounts: ['corp'] },
    directories: [
      {
        name: 'corp',
        servers: [slapd.url],
        authorities: slapd.authorities,
        bind: { dn: SERVICE.dn, password: SERVICE.password },
        people: { base: PEOPLE },
      },
    ],
  });
  const { keyspace } = await openKeyspace((installation.config as { keyspace: { url: string } }).keyspace.url);
  await keyspace.set(vcardKeys.key('montague@localhost'), '<vCard/>');
  await keyspace.close();
  expect((await installation.parley(['account', 'move', 'montague@localhost', 'romeo@localhost'])).stderr).toBe(
    'The accounts of localhost are in a directory: start the node first.\n',
  );
  await installation.start();
  const move = async (...args: string[]) => {
    const { code, stdout, stderr } = await installation.parley(['account', 'move', ...args]);
    return [code, stdout.trim().split('\n').at(-1), stderr.trim()];
  };
  expect(await move('montague@localhost', 'nobody@localhost')).toEqual([
    1,
    '',
    'There is no account nobody@localhost that could have what montague@localhost had.',
  ]);
  expect(await move('juliet@localhost', 'romeo@localhost')).toEqual([
    1,
    '',
    'juliet@localhost is an account of the directory: change its address there, and the rest follows by itself.',
  ]);
  expect(await move('montague@localhost', 'romeo@localhost')).toEqual([
    0,
    'montague@localhost is romeo@localhost now.',
    '',
  ]);
});

it('what nobody has any more is taken away by hand, before somebody else gets the address', async () => {
  const slapd = await Slapd.start();
  const server = await startDirectoryServer(slapd);
  const { keyspace, node } = server;
  const [paris, romeo] = ['paris@localhost', 'romeo@localhost'].map((text) => Jid.parse(text)) as [Jid, Jid];
  for (const { bareText } of [paris, romeo]) await keyspace.set(vcardKeys.key(bareText), '<vCard/>');
  await node.accounts.remove?.(paris);
  await expect(node.accounts.remove?.(paris)).rejects.toMatchObject({ condition: 'item-not-found' });
  await expect(node.accounts.remove?.(romeo)).rejects.toMatchObject({ condition: 'not-allowed' });
  await slapd.stop();
  await expect(node.accounts.remove?.(Jid.parse('count@localhost'))).rejects.toMatchObject({});
  const left = await Promise.all([paris, romeo].map(({ bareText }) => keyspace.get(vcardKeys.key(bareText))));
  expect(left.map(String)).toEqual(['undefined', '<vCard/>']);
});

it.each([
  ['inherit', '<vCard/>', 'is theirs now'],
  ['startAnew', 'undefined', 'is taken away'],
])('somebody else who gets an address finds what was kept there, or not: %s', async (successors, kept, words) => {
  const slapd = await Slapd.start();
  const server = await startDirectoryServer(slapd, { directory: { people: { base: PEOPLE, successors } } });
  const { keyspace, log } = server;
  await expect.poll(() => log.map(({ event }) => event)).toContain('directory.followed');
  const people = ['romeo', 'tybalt', 'nurse'];
  for (const uid of people) await keyspace.set(vcardKeys.key(`${uid}@localhost`), '<vCard/>');
  const exists = (uid: string) => server.accounts.exists(Jid.parse(`${uid}@localhost`));
  for (const uid of ['romeo', 'tybalt']) await slapd.remove(personDn(uid));
  await expect.poll(() => exists('tybalt')).toBe(false);
  const before = log.length;
  await slapd.change(personEntry('romeo', 'Montague')); // in another entry, that is
  await slapd.change(`dn: ${personDn('nurse')}\nchangetype: modrdn\nnewrdn: uid=angelica\ndeleteoldrdn: 1\n`);
  const successor = () => log.slice(before).filter(({ event }) => event === 'directory.successor');
  await expect.poll(() => successor().length).toBe(1);
  expect(successor()[0]).toMatchObject({ account: 'romeo@localhost', message: expect.stringContaining(words) });
  expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('success');
  const values = await Promise.all(people.map((uid) => keyspace.get(vcardKeys.key(`${uid}@localhost`))));
  expect(values.map(String)).toEqual([kept, '<vCard/>', '<vCard/>']);
});
