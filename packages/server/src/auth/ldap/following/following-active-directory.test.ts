// What changes in an Active Directory (the tests' own), as it is seen by change notification and by polling.
import type { Keyspace } from '@parley/keyspace/keyspace';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, it } from 'vitest';
import { ActiveDirectory, adTime } from '../../../../../../tests/services/active-directory.ts';
import { activeDirectoryEntry, connectPeers, memoryKeyspace, startFollowing } from './testing-following.ts';

let directory: ActiveDirectory;
let keyspace: Keyspace;

beforeEach(async () => {
  directory = await ActiveDirectory.start();
  keyspace = await memoryKeyspace();
  for (const name of ['romeo', 'juliet', 'nurse', 'tybalt']) directory.addPerson(name, { mail: `${name}@localhost` });
});

const jid = (name: string) => Jid.parse(`${name}@localhost`);

describe.each([
  ['notification', {}],
  ['polling', { mode: 'polling', pollSeconds: 1 }],
])('by %s', (mode, synchronisation) => {
  const start = () => startFollowing({ keyspace, entry: activeDirectoryEntry(directory, { synchronisation }) });

  it('hears of whatever changes', async () => {
    const { people, heard, followed, log } = start();
    await followed();
    expect(log.events).toContainEqual(expect.objectContaining({ event: 'directory.followed', mode, known: 4 }));
    await heard.next(4);

    directory.addPerson('paris', { mail: 'paris@localhost' });
    expect(await heard.next(1)).toEqual(['added paris active']);
    directory.disable('romeo');
    expect(await heard.next(1)).toEqual(['changed romeo disabled']);
    directory.enable('romeo');
    expect(await heard.next(1)).toEqual(['changed romeo active']);
    directory.change('romeo', { lockoutTime: adTime(Date.now()) });
    expect(await heard.next(1)).toEqual(['changed romeo locked']);
    directory.change('nurse', { mail: 'angelica@localhost' });
    expect(await heard.next(1)).toEqual(['moved angelica (was nurse) active']);
    directory.rename('tybalt', 'Prince of Cats');
    directory.remove('juliet');
    expect(await heard.next(1)).toEqual(['removed juliet active']);
    expect(await people.get(jid('juliet'))).toBeUndefined();
    expect(await people.get(jid('tybalt'))).toMatchObject({ dn: `CN=Prince of Cats,${ActiveDirectory.people}` });
  });

  it('hears after an interruption of what has changed meanwhile', async () => {
    const node = start();
    await node.followed();
    await node.heard.next(4);
    const away = node.log.next('directory.away');
    directory.away = true;
    directory.cut();
    await away;
    directory.disable('romeo');
    directory.remove('tybalt');
    directory.away = false;
    expect((await node.heard.next(2)).sort()).toEqual(['changed romeo disabled', 'removed tybalt active']);
  });

  it('takes nobody for removed by an empty or broken answer', async () => {
    const node = start();
    await node.followed();
    await node.heard.next(4);
    const held = node.log.next('directory.held');
    const gone = [...directory.entries].filter(([, { dn }]) => dn.endsWith(ActiveDirectory.people));
    for (const [id] of gone) directory.entries.delete(id);
    directory.cut();
    expect(await held).toMatchObject({ level: 'error', missing: 4, known: 4 });
    const { directoryHeld } = node.registry.metrics;
    expect(await node.people.get(jid('romeo'))).toMatchObject({ state: { kind: 'active' } });
    await expect.poll(() => directoryHeld.with({ directory: 'corp', what: 'people' }).value).toBe(4);
    for (const [id, entry] of gone) directory.entries.set(id, entry);
    directory.addPerson('paris', { mail: 'paris@localhost' });
    expect(await node.heard.next(1)).toEqual(['added paris active']);
  });
});

it('is asked about somebody who is met at a login before the next poll', async () => {
  const [a, b] = connectPeers(2);
  const entry = activeDirectoryEntry(directory, { synchronisation: { mode: 'polling', pollSeconds: 3600 } });
  const one = startFollowing({ keyspace, entry, holder: 'one', ...(a && { peers: a }) });
  await one.followed();
  await one.heard.next(4);
  const two = startFollowing({ keyspace, entry, holder: 'two', ...(b && { peers: b }) });
  expect(await two.people.get(jid('paris'))).toBeUndefined();
  directory.addPerson('paris', { mail: 'paris@localhost' });
  directory.disable('romeo');
  for (const name of ['paris', 'romeo']) {
    const found = await two.ldap.findPerson(jid(name));
    if (found) await two.people.learn(found);
  }
  expect(await two.people.get(jid('paris'))).toMatchObject({ state: { kind: 'active' } });
  expect(await two.people.get(jid('romeo'))).toMatchObject({ state: { kind: 'disabled' } });
  expect(await one.heard.next(2)).toEqual(['added paris active', 'changed romeo disabled']);
  expect(await two.heard.next(2)).toEqual(['added paris active elsewhere', 'changed romeo disabled elsewhere']);
});
