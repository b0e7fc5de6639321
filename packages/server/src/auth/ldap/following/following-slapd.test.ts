// What changes in a real OpenLDAP, as it is seen by content synchronisation.
import type { Keyspace } from '@parley/keyspace/keyspace';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, it, vi } from 'vitest';
import { Slapd } from '../../../../../../tests/services/slapd.ts';
import { GROUPS, PEOPLE, personDn, personEntry } from '../../../../../../tests/services/slapd-files.ts';
import { directoryEntry, directoryOf } from '../testing.ts';
import { connectPeers, memoryKeyspace, startFollowing } from './testing-following.ts';

let slapd: Slapd;
let keyspace: Keyspace;

beforeEach(async () => {
  slapd = await Slapd.start();
  keyspace = await memoryKeyspace();
});

const jid = (name: string) => Jid.parse(`${name}@localhost`);
const start = (more: object = {}, options: { holder?: string } = {}) =>
  startFollowing({ keyspace, entry: directoryEntry(slapd, more), ...options });

const generalizedTime = (at: number) => new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');

it('knows who is in the directory, and hears of whatever changes', async () => {
  const { people, heard, followed, log } = start();
  expect(await people.complete()).toBe(false);
  await followed();
  expect(await people.complete()).toBe(true);
  expect((await heard.next(6)).sort()[0]).toBe('added benvolio active');
  const romeo = await people.get(jid('romeo'));
  expect(romeo).toMatchObject({ dn: personDn('romeo'), state: { kind: 'active' } });
  expect(people.get(jid('romeo'))).toEqual(romeo); // without asking anybody
  expect(await people.get(jid('paris'))).toBeUndefined();

  // it is told of them: it does not ask every now and then
  const mode = 'contentSynchronisation';
  expect(log.events).toContainEqual(expect.objectContaining({ event: 'directory.followed', mode }));
  await slapd.change(personEntry('paris', 'Escalus'));
  expect(await heard.next(1)).toEqual(['added paris active']);
  expect(await people.get(jid('paris'))).toMatchObject({ dn: personDn('paris') });

  await slapd.modify(personDn('romeo'), { pwdAccountLockedTime: ['000001010000Z'] });
  expect(await heard.next(1)).toEqual(['changed romeo disabled']);
  expect(await people.get(jid('romeo'))).toMatchObject({ state: { kind: 'disabled' } });
  await slapd.modify(personDn('romeo'), { pwdAccountLockedTime: [] });
  expect(await heard.next(1)).toEqual(['changed romeo active']);

  await slapd.modify(personDn('nurse'), { mail: ['angelica@localhost'] });
  expect(await heard.next(1)).toEqual(['moved angelica (was nurse) active']);
  expect(await people.get(jid('nurse'))).toBeUndefined();
  expect(await people.get(jid('angelica'))).toMatchObject({ dn: personDn('nurse') });

  // another name of the entry is nothing to anybody; an address in a domain that is not served is none
  await slapd.change(`dn: ${personDn('tybalt')}\nchangetype: modrdn\nnewrdn: uid=tib\ndeleteoldrdn: 1\n`);
  await slapd.modify(personDn('benvolio'), { mail: ['benvolio@example.com'] });
  expect(await heard.next(1)).toEqual(['removed benvolio active']);
  expect(await people.get(jid('tybalt'))).toMatchObject({ dn: personDn('tib') });

  await slapd.remove(personDn('mercutio'));
  expect(await heard.next(1)).toEqual(['removed mercutio active']);
  // one that is moved away from where people are is gone, too
  const move = 'newrdn: uid=juliet\ndeleteoldrdn: 1\n';
  await slapd.change(`dn: ${personDn('juliet')}\nchangetype: modrdn\n${move}newsuperior: ${GROUPS}\n`);
  expect(await heard.next(1)).toEqual(['removed juliet active']);
});

it('hears that somebody was locked out by wrong passwords', async () => {
  const { heard, followed } = start();
  await followed();
  await heard.next(6);
  const directory = directoryOf(slapd);
  for (let attempt = 0; attempt < 3; attempt++) await directory.bindAs(personDn('romeo'), 'wrong');
  expect(await heard.next(1)).toEqual(['changed romeo locked']);
});

it('acts when a state ends by itself', async () => {
  const clock = Date.now;
  let standsAt: number | undefined;
  vi.spyOn(Date, 'now').mockImplementation(() => standsAt ?? clock());
  const { heard, followed, people } = start();
  await followed();
  await heard.next(6);
  standsAt = clock(); // until it has heard of both
  const inASecond = Math.ceil(standsAt / 1000) * 1000 + 1000;
  await slapd.modify(personDn('romeo'), { pwdEndTime: [generalizedTime(inASecond)] });
  await slapd.modify(personDn('juliet'), { pwdStartTime: [generalizedTime(inASecond)] });
  expect(await heard.next(1)).toEqual(['changed juliet disabled']);
  standsAt = undefined;
  expect((await heard.next(2)).sort()).toEqual(['changed juliet active', 'changed romeo expired']);
  expect(Date.now()).toBeGreaterThanOrEqual(inASecond);
  expect(await people.get(jid('romeo'))).toMatchObject({ state: { kind: 'expired' } });
});

it('resumes by the cookie: after a restart it hears only of what has changed meanwhile', async () => {
  const first = start();
  await first.followed();
  await first.heard.next(6);
  expect(first.entriesRead()).toBe(6);
  await slapd.modify(personDn('romeo'), { title: ['Lover'] });
  await slapd.change(personEntry('paris', 'Escalus'));
  expect(await first.heard.next(1)).toEqual(['added paris active']);
  await first.stop();

  await slapd.modify(personDn('juliet'), { pwdAccountLockedTime: ['000001010000Z'] });
  await slapd.remove(personDn('mercutio'));
  const second = start();
  await second.followed();
  expect(await second.heard.next(2)).toEqual(['changed juliet disabled', 'removed mercutio active']);
  expect(second.entriesRead()).toBe(1);
});

it('bears that the directory restarts, and goes on by the cookie', async () => {
  const node = start();
  await node.followed();
  await node.heard.next(6);
  node.entriesRead();
  const away = node.log.next('directory.away');
  await slapd.kill();
  expect(await away).toMatchObject({ level: 'warn', message: expect.stringContaining('stays logged in') });
  const back = node.log.next('directory.followed');
  await slapd.restart();
  await slapd.remove(personDn('tybalt'));
  await back;
  expect(await node.heard.next(1)).toEqual(['removed tybalt active']);
  expect(node.entriesRead()).toBe(0);
  expect(node.log.events.filter(({ event }) => event === 'node.fault')).toEqual([]);
});

it('notices that the directory says nothing any more, and goes on when it does', async () => {
  const node = start({ synchronisation: { keepAliveSeconds: 1 }, timeoutSeconds: 1 });
  await node.followed();
  await node.heard.next(6);
  const away = node.log.next('directory.away');
  await slapd.halt();
  expect(await away).toMatchObject({ error: { message: expect.stringContaining('says nothing any more') } });
  const back = node.log.next('directory.followed');
  slapd.goOn();
  await back;
  await slapd.remove(personDn('tybalt'));
  expect(await node.heard.next(1)).toEqual(['removed tybalt active']);
});

it('is followed by one node, which the others hear; another one takes over where it stops', async () => {
  const [a, b] = connectPeers(2);
  const entry = directoryEntry(slapd);
  const one = startFollowing({ keyspace, entry, holder: 'one', ...(a && { peers: a }) });
  await one.followed();
  await one.heard.next(6);
  const two = startFollowing({ keyspace, entry, holder: 'two', leaseMs: 4000, ...(b && { peers: b }) }); // it looks each second
  await two.people.get(jid('romeo'));
  await slapd.modify(personDn('romeo'), { pwdAccountLockedTime: ['000001010000Z'] });
  expect(await one.heard.next(1)).toEqual(['changed romeo disabled']);
  expect(await two.heard.next(1)).toEqual(['changed romeo disabled elsewhere']);
  expect(await two.people.get(jid('romeo'))).toMatchObject({ state: { kind: 'disabled' } });
  expect(two.entriesRead()).toBe(0);

  await one.stop();
  await two.followed();
  await slapd.remove(personDn('tybalt'));
  expect(await two.heard.next(1)).toEqual(['removed tybalt active']);
  expect(await one.heard.next(1)).toEqual(['removed tybalt active elsewhere']);
  expect(two.entriesRead()).toBe(0);
});

it.each(['polling', 'contentSynchronisation'])(
  'lets nobody go because what tells their address cannot be read any more: %s',
  async (mode) => {
    const more = { synchronisation: { mode } };
    const before = start(more);
    await before.followed();
    await before.stop();
    // as if an access rule hid it; a cookie of before is of no use for what is asked now
    const people = { base: PEOPLE, address: 'facsimileTelephoneNumber' };
    const { people: known, log } = start({ ...more, people });
    await expect.poll(() => log.events.some(({ event }) => event === 'directory.held')).toBe(true);
    expect(await known.get(jid('romeo'))).toMatchObject({ dn: personDn('romeo') });
  },
);

it('goes on by the cookie although somebody has lost their address', async () => {
  const one = start();
  await one.followed();
  await one.stop();
  await slapd.modify(personDn('romeo'), { mail: [] });
  const other = { passwords: { scram: 'learn' } }; // more is asked for, so that all is read
  const two = start(other);
  await two.followed();
  expect(await two.heard.next(1)).toEqual(['removed romeo active']);
  expect(two.entriesRead()).toBe(6);
  await two.stop();
  await slapd.modify(personDn('juliet'), { title: ['Beloved'] });
  await slapd.restart(); // it has no log of the changes: it tells who is present
  const three = start(other);
  await three.followed();
  expect(three.entriesRead()).toBe(1);
  expect(three.log.events.map(({ event }) => event)).not.toContain('directory.again');
  await slapd.modify(personDn('romeo'), { mail: ['romeo@localhost'] });
  expect(await three.heard.next(1)).toEqual(['added romeo active']);
});

it('goes on although somebody has nothing to be told apart by', async () => {
  const numbered = ['romeo', 'juliet'];
  for (const [index, uid] of numbered.entries()) await slapd.modify(personDn(uid), { employeeNumber: [String(index)] });
  const more = { people: { base: PEOPLE, id: 'employeeNumber' } };
  const one = start(more);
  await one.followed();
  expect(await one.heard.next(2)).toHaveLength(2);
  await one.stop();
  await slapd.modify(personDn('romeo'), { title: ['Lover'] });
  await slapd.restart(); // it tells who is present, the others among them
  const two = start(more);
  await two.followed();
  expect(two.log.events.filter(({ event }) => event === 'directory.again').length).toBeLessThan(2);
  await slapd.modify(personDn('nurse'), { employeeNumber: ['3'] });
  expect(await two.heard.next(1)).toEqual(['added nurse active']);
});

it('polls where the directory does not let it have everybody at once', async () => {
  const who = personDn('romeo');
  const database = `limits dn.exact="${who}" size.soft=4 size.hard=4 size.prtotal=unlimited`;
  slapd = await Slapd.start({ database });
  const node = start({ bind: { dn: who, password: 'pw-romeo' }, synchronisation: { pollSeconds: 1 } });
  expect(await node.log.next('directory.away')).toMatchObject({ message: expect.stringContaining('lift its limit') });
  await node.followed();
  expect(node.log.events).toContainEqual(expect.objectContaining({ event: 'directory.followed', mode: 'polling' }));
  expect(await node.heard.next(6)).toHaveLength(6);
  await slapd.remove(personDn('tybalt'));
  expect(await node.heard.next(1)).toEqual(['removed tybalt active']);
});
