import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { Log } from '../../log.ts';
import { FakeDirectory, FakePeople } from './fake-directory.ts';
import { Lookups } from './lookups.ts';
import type { Person } from './person.ts';

const romeo = Jid.parse('romeo@localhost');

it('looks for few at a time whom nobody knows, once everybody is known', async () => {
  const directory = new FakeDirectory();
  const people = new FakePeople();
  people.all = true;
  const lookups = new Lookups({ directory: directory.directory, people, log: Log.create({ level: 'silent' }) });
  const answers: (() => void)[] = [];
  directory.findPerson = () => new Promise((resolve) => void answers.push(() => resolve(undefined)));
  const all = Array.from({ length: 100 }, (_, index) => lookups.state(Jid.of(`nobody${index}`, 'localhost')));
  await Promise.all(all.slice(50)); // no answer is waited for
  expect(answers).toHaveLength(16);
  for (const answer of answers) answer();
  expect(new Set(await Promise.all(all))).toEqual(new Set([undefined]));
});

it('does not believe what was on its way when it hears of a change', async () => {
  const directory = new FakeDirectory();
  const people = new FakePeople();
  const before = directory.add(romeo);
  const lookups = new Lookups({ directory: directory.directory, people, log: Log.create({ level: 'silent' }) });
  const { promise: answer, resolve } = Promise.withResolvers<Person>();
  directory.findPerson = () => answer;
  const finding = lookups.find(romeo);
  people.known.set(romeo.bareText, { id: before.id, dn: before.dn, state: { kind: 'disabled' } });
  lookups.forget(romeo);
  resolve(before);
  expect((await finding)?.state).toEqual({ kind: 'active' }); // as a server said that lags behind
  expect(await lookups.state(romeo)).toEqual({ kind: 'disabled' });
  await lookups.find(romeo);
  expect(await lookups.state(romeo)).toEqual({ kind: 'active' }); // asked after that
});
