import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { expect, it, onTestFinished } from 'vitest';
import { Log } from '../log.ts';
import { Peers } from '../peers.ts';
import { GroupAccess } from './group-access.ts';
import { Groups } from './groups.ts';
import { Roles } from './roles.ts';

const a = Jid.parse('a@x');
const head = (name: string) => ({ name, label: name, source: 'corp', shownTo: 'nobody' as const });

async function start() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  const onFault = (error: unknown) => {
    throw error;
  };
  const groups = new Groups({ keyspace, peers: new Peers(), letsGuestsIn: () => false, onFault });
  onTestFinished(async () => {
    groups.stop();
    await keyspace.close();
  });
  return groups;
}

it('members of a group may log in, and nobody else', async () => {
  const groups = await start();
  const access = new GroupAccess({ groups, allowed: ['staff', 'corp/guests'], log: Log.create({ level: 'silent' }) });
  const lost: string[] = [];
  access.onLost((account, refusal) => void lost.push(`${account} ${refusal.condition}`));
  expect(access.refusal(a)?.condition).toBe('temporary-auth-failure');
  await groups.change('g', { head: head('Guests') });
  expect(access.refusal(a)?.condition).toBe('account-disabled');
  await groups.change('g', { add: new Map([['a@x', '']]) });
  expect(access.refusal(a)).toBeUndefined();
  await groups.change('s', { head: head('staff'), add: new Map([['a@x', '']]) });
  await groups.change('g', { remove: ['a@x'] });
  expect(lost).toEqual([]); // there is another one
  await groups.change('s', { head: head('former staff') });
  expect(lost).toEqual(['a@x account-disabled']);
  expect(new GroupAccess({ groups, allowed: [], log: Log.create({ level: 'silent' }) }).refusal(a)).toBeUndefined();
});

it('members of a group administer the server, from the moment in which they are', async () => {
  const groups = await start();
  const roles = new Roles(() => ({ admins: ['root@x'], adminGroups: ['wizards'] }), groups);
  const told: string[] = [];
  roles.onChange((accounts) => void told.push(...accounts.map((account) => `${account} ${roles.isAdmin(account)}`)));
  expect([roles.isAdmin(a), roles.isAdmin(Jid.parse('root@x/y'))]).toEqual([false, true]);
  await groups.change('w', { head: head('Wizards'), add: new Map([['a@x', '']]) });
  await groups.remove('w');
  expect(told).toEqual(['a@x true', 'a@x false']);
});
