// What changes in a real 389 Directory Server, as it is seen by content synchronisation and by persistent search.
import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { Directory389 } from '../../../../../../tests/services/directory-389.ts';
import { PATIENT } from '../testing.ts';
import { memoryKeyspace, startFollowing } from './testing-following.ts';

const replace = (uid: string, name: string, value: string) =>
  `dn: ${Directory389.dn(uid)}\nchangetype: modify\nreplace: ${name}\n${name}: ${value}\n`;
const remove = (uid: string) => `dn: ${Directory389.dn(uid)}\nchangetype: delete\n`;

it.each([
  ['contentSynchronisation', true],
  ['persistentSearch', false],
] as const)('hears of whatever changes by %s', async (mode, plugins) => {
  const directory = await Directory389.start({ plugins });
  const keyspace = await memoryKeyspace();
  const synchronisation = plugins ? {} : { mode };
  for (const uid of ['romeo', 'juliet', 'nurse', 'tybalt']) await directory.addPerson(uid);
  const node = startFollowing({ keyspace, entry: directory.configured({ ...PATIENT, synchronisation }) });
  await node.followed();
  expect(node.log.events).toContainEqual(expect.objectContaining({ event: 'directory.followed', mode, known: 4 }));
  await node.heard.next(4);

  await directory.addPerson('paris');
  expect(await node.heard.next(1)).toEqual(['added paris active']);
  await directory.change(replace('romeo', 'nsAccountLock', 'TRUE'));
  expect(await node.heard.next(1)).toEqual(['changed romeo disabled']);
  await directory.change(replace('nurse', 'mail', 'angelica@localhost'));
  expect(await node.heard.next(1)).toEqual(['moved angelica (was nurse) active']);
  await directory.change(`dn: ${Directory389.dn('tybalt')}\nchangetype: modrdn\nnewrdn: uid=tib\ndeleteoldrdn: 1\n`);
  await directory.change(remove('juliet'));
  expect(await node.heard.next(1)).toEqual(['removed juliet active']);
  expect(await node.people.get(Jid.parse('tybalt@localhost'))).toMatchObject({ dn: Directory389.dn('tib') });
  await node.stop();

  await directory.change(remove('paris'));
  await directory.change(replace('romeo', 'nsAccountLock', 'FALSE'));
  node.entriesRead();
  const again = startFollowing({ keyspace, entry: directory.configured({ ...PATIENT, synchronisation }) });
  await again.followed();
  expect((await again.heard.next(2)).sort()).toEqual(['changed romeo active', 'removed paris active']);
});
