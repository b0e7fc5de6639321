import type { AccountPiece } from '@parley/server/admin/data-administration';
import { administerData } from '@parley/server/data/administer-data';
import { dataOfNode } from '@parley/server/data-of-node';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { startDirectoryServer } from '../directory/server.ts';
import { Slapd } from '../services/slapd.ts';

it('people of a directory get contacts and messages, and keep their passwords; they are erased there first', async () => {
  const slapd = await Slapd.start();
  const { node, keyspace } = await startDirectoryServer(slapd);
  const data = administerData(dataOfNode(node, keyspace));
  const roster = `<query xmlns='${NS.roster}'><item jid='romeo@localhost' subscription='both'/></query>`;
  const piece: AccountPiece = {
    jid: 'juliet@localhost',
    existing: 'skip',
    first: true,
    last: true,
    password: 'another',
    parts: [roster],
  };
  expect(await data.import(piece)).toEqual({ done: 'added', problems: [], elsewhere: true });
  await expect(data.import({ ...piece, jid: 'nobody@localhost' })).rejects.toThrow(
    'The directory of localhost has nobody of this address: add the person there, and import again.',
  );
  let text = '';
  for await (const part of data.export({ account: 'juliet@localhost' })) text += part.text;
  expect(text).toContain(`<user name='juliet'>${roster}</user>`);
  await expect(data.erase('juliet@localhost')).rejects.toThrow(/^The account is kept in a directory\./);
  expect(await data.erase('paris@localhost')).toEqual(expect.any(Array)); // nobody, and nothing of them
});
