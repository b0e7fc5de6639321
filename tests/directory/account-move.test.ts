import { openKeyspace } from '@parley/keyspace/open';
import { vcardKeys } from '@parley/server/xeps/0054-vcard/vcard-store';
import { expect, it, vi } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { PEOPLE, SERVICE } from '../services/slapd-files.ts';
import { Installation } from '../support/process.ts';

vi.setConfig({ testTimeout: 60_000 }); // each starts several processes

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
