import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { POLICIES, personDn } from '../services/slapd-files.ts';
import type { TestClient } from '../support/client.ts';
import { outcomeOf, plain, scram } from '../support/login.ts';
import type { TestServer } from '../support/server.ts';
import { login, startDirectoryServer, stranger } from './server.ts';

let slapd: Slapd;

beforeAll(async () => {
  slapd = await Slapd.startLasting();
});
afterAll(() => slapd.end());

const start = (passwords: object = {}) => startDirectoryServer(slapd, { directory: { passwords } });
const query = (content: string) => `<query xmlns='${NS.register}'>${content}</query>`;
const plainly = (username: string, password: string) =>
  query(`<username>${username}</username><password>${password}</password>`);

async function session(server: TestServer, username: string, password: string): Promise<TestClient> {
  const client = stranger(server);
  expect((await plain(client, username, password)).name).toBe('success');
  await client.request('set', `<bind xmlns='${NS.bind}'/>`);
  return client;
}

const words = (answer: Element) => answer.child('error')?.childText('text', NS.stanzas);
const accepted = async (server: TestServer, username: string, password: string) =>
  (await login(server, username, password))[0] === 'success';

test('a password that a user changes is changed in the directory, and the other sessions end', async () => {
  const server = await start({ scram: 'learn' });
  const romeo = await session(server, 'romeo', 'pw-romeo');
  const other = await session(server, 'romeo', 'pw-romeo');
  expect(outcomeOf(await romeo.request('set', plainly('romeo', 'a-new-one')))).toBe('result');
  expect((await other.take(({ name }) => name === 'error')).firstChild?.name).toBe('reset');
  expect(await accepted(server, 'romeo', 'pw-romeo')).toBe(false);
  const attempt = { username: 'romeo', hash: 'SHA-256' } as const;
  expect((await scram(stranger(server), { ...attempt, password: 'pw-romeo' })).name).toBe('failure');
  // the first login that is right changes the entry, in which the wrong one before was counted
  for (let i = 0; i < 2; i++) expect(await accepted(server, 'romeo', 'a-new-one')).toBe(true);
  expect((await scram(stranger(server), { ...attempt, password: 'a-new-one' })).name).toBe('success');
});

test('what the policy of the directory has against a password comes back in its words', async () => {
  const server = await start();
  await slapd.modify(personDn('juliet'), { pwdPolicySubentry: [`cn=strict,${POLICIES}`] });
  const juliet = await session(server, 'juliet', 'pw-juliet');
  const answer = await juliet.request('set', plainly('juliet', 'short'));
  expect(outcomeOf(answer)).toBe('not-acceptable');
  expect(words(answer)).toMatch(/^The password is (too short|not good enough) for the directory.*quality/);
  expect(outcomeOf(await juliet.request('set', plainly('juliet', 'long-enough-for-that')))).toBe('result');
  expect(await accepted(server, 'juliet', 'long-enough-for-that')).toBe(true);
});

describe('where people change their passwords themselves', () => {
  const form = (old: string, password: string) =>
    query(
      `<x xmlns='${NS.dataForms}' type='submit'><field var='FORM_TYPE'><value>jabber:iq:register:changepassword</value></field>` +
        `<field var='username'><value>tybalt@localhost</value></field>` +
        `<field var='old_password'><value>${old}</value></field><field var='password'><value>${password}</value></field></x>`,
    );

  test('they are asked for the old one', async () => {
    const server = await start({ change: 'person' });
    const tybalt = await session(server, 'tybalt', 'pw-tybalt');
    const asked = await tybalt.request('set', plainly('tybalt', 'a-new-one'));
    expect(outcomeOf(asked)).toBe('not-authorized');
    const fields = asked.child('query', NS.register)?.child('x', NS.dataForms)?.elements ?? [];
    expect(fields.map((field) => field.attr('var'))).toContain('old_password');
    expect(words(await tybalt.request('set', form('wrong', 'a-new-one')))).toBe('The old password is wrong.');
    expect(outcomeOf(await tybalt.request('set', form('pw-tybalt', 'a-new-one')))).toBe('result');
    expect(await accepted(server, 'tybalt', 'a-new-one')).toBe(true);
  });
});

test('an administrator changes a password as the account that the server has', async () => {
  const server = await start({ change: 'person' });
  await server.accounts.setPassword?.(Jid.parse('nurse@localhost'), 'a-new-one');
  expect(await accepted(server, 'nurse', 'a-new-one')).toBe(true);
});

test('where the directory alone changes them nobody does here', async () => {
  const server = await start({ change: 'none' });
  const mercutio = await session(server, 'mercutio', 'pw-mercutio');
  expect(outcomeOf(await mercutio.request('set', plainly('mercutio', 'a-new-one')))).toBe('not-allowed');
  expect(await accepted(server, 'mercutio', 'pw-mercutio')).toBe(true);
});
