import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { expect, test } from 'vitest';
import { AccountsAway, type Authenticator } from '../../auth/authenticator.ts';
import { configurationSchema } from '../../config/schema.ts';
import type { Log } from '../../log.ts';
import type { LoginTask, ProvenLogin } from '../../stream/login-task.ts';
import type { Logins } from '../../stream/logins.ts';
import type { Stream } from '../../stream/stream.ts';
import { PasswordChanges } from './password-changes.ts';

const juliet = Jid.parse('juliet@localhost');
const expired = { condition: 'credentials-expired', text: 'It has expired.' } as const;
const asking = Element.of('authenticate', NS.sasl2, {}, Element.of('upgrade', NS.saslUpgrade, {}, 'CHANGE-PASSWORD'));

interface Given {
  accounts?: Partial<Authenticator>;
  attempt?: Partial<ProvenLogin['attempt']>;
  config?: object;
}

/** Somebody whose password has expired. */
function start({ accounts = {}, attempt = {}, config = {} }: Given = {}) {
  const set: unknown[][] = [];
  const verified: unknown[] = [];
  const limits: string[] = [];
  const stream = {
    domain: 'localhost',
    transport: { remoteAddress: '192.0.2.1' },
    host: { onLimit: (_: Stream, limit: string) => limits.push(limit) },
  } as unknown as Stream;
  const changes = new PasswordChanges({
    accounts: {
      renews: () => true,
      renewal: () => ({ byOld: true }),
      setPassword: async (...change) => void set.push(change),
      ...accounts,
    } as Authenticator,
    config: () => configurationSchema().parse(config),
    log: { info() {} } as unknown as Log,
    logins: { verify: async (_: unknown, __: unknown, password: string) => void verified.push(password) } as Logins,
  });
  const login: ProvenLogin = {
    stream,
    request: asking,
    identity: juliet,
    attempt: { stream, mechanism: 'PLAIN', renews: true, expired, expiredPassword: 'old', ...attempt },
  };
  return { changes, stream, login, set, verified, limits };
}

const value = (name: string, text: string) =>
  Element.of('field', NS.dataForms, { var: name }, Element.of('value', NS.dataForms, {}, text));

function filled(values: Record<string, string>, type = 'submit'): Element {
  const all = { FORM_TYPE: 'jabber:iq:register:changepassword', username: 'juliet', ...values };
  const fields = Object.entries(all).map(([name, text]) => value(name, text));
  return Element.of('task-data', NS.sasl2, {}, Element.of('x', NS.dataForms, { type }, ...fields));
}

const NEXT = Element.of('next', NS.sasl2, { task: 'CHANGE-PASSWORD' });
const fieldsOf = async (task: LoginTask | undefined) =>
  (await task?.step(NEXT))?.[0]?.elements.flatMap((each) => each.attr('var') ?? []);
const outcome = async (task: LoginTask | undefined, element: Element) => {
  try {
    return [await task?.step(element)];
  } catch (error) {
    if (!(error instanceof SaslError)) throw error;
    return [error.condition, error.text];
  }
};

test('is announced where passwords can be changed, and only there', () => {
  const announced = (given: Given) =>
    start(given)
      .changes.advertise({ domain: 'localhost' } as Stream)
      .map(({ text }) => text);
  expect(announced({})).toEqual(['CHANGE-PASSWORD']);
  expect(announced({ accounts: { renews: () => false } })).toEqual([]);
  expect(announced({ config: { registration: { passwordChange: false } } })).toEqual([]);
});

test('a password that has expired is no failure for those who ask for the task, where it is offered', () => {
  const { changes, stream } = start();
  expect(changes.renews(stream, asking)).toBe(true);
  expect(changes.renews(stream, Element.of('authenticate', NS.sasl2))).toBe(false);
  expect(start({ accounts: { renews: () => false } }).changes.renews(stream, asking)).toBe(false);
});

test('nothing is asked of somebody whose password is good', async () => {
  const { changes, login } = start({ attempt: { expired: undefined } });
  expect(await changes.next(login)).toBeUndefined();
});

test('the new one is asked for, and is tried at once', async () => {
  const { changes, login, set, verified } = start();
  const task = await changes.next(login);
  expect([task?.name, task?.text]).toEqual(['CHANGE-PASSWORD', 'It has expired.']);
  expect(await fieldsOf(task)).toEqual(['FORM_TYPE', 'username', 'password']);
  expect(await outcome(task, filled({ password: 'new' }))).toEqual([undefined]);
  expect(set).toEqual([[juliet, 'new', undefined, 'old']]);
  expect(verified).toEqual(['new']);
  expect(login.attempt).toMatchObject({ renews: false, expired: undefined, expiredPassword: undefined });
});

test('the old one is asked for where it is needed and not known', async () => {
  const { changes, login, set } = start({ attempt: { expiredPassword: undefined } });
  const task = await changes.next(login);
  expect(await fieldsOf(task)).toContain('old_password');
  expect((await outcome(task, filled({ password: 'new' })))[0]).toBe('malformed-request');
  expect(await outcome(task, filled({ password: 'new', old_password: 'mine' }))).toEqual([undefined]);
  expect(set).toEqual([[juliet, 'new', undefined, 'mine']]);
});

test('the old one is left out where the account of the server changes it', async () => {
  const { changes, login, set } = start({ accounts: { renewal: () => ({ byOld: false }) } });
  const task = await changes.next(login);
  expect(await fieldsOf(task)).not.toContain('old_password');
  await outcome(task, filled({ password: 'new' }));
  expect(set).toEqual([[juliet, 'new', undefined, undefined]]);
});

test('where nobody may change it, it has expired', async () => {
  const { changes, login } = start({ accounts: { renewal: () => undefined } });
  await expect(changes.next(login)).rejects.toMatchObject(expired);
});

test.each([
  ['not good enough', new StanzaError('not-acceptable', { text: 'Too short.' }), ['credentials-expired', 'Too short.']],
  [
    'from a wrong one',
    new StanzaError('not-authorized', { text: 'The old password is wrong.' }),
    ['not-authorized', 'The old password is wrong.'],
  ],
])('a change that is %s is refused in words', async (_, error, expected) => {
  const { changes, login, verified } = start({ accounts: { setPassword: () => Promise.reject(error) } });
  expect(await outcome(await changes.next(login), filled({ password: 'new' }))).toEqual(expected);
  expect(verified).toEqual([]);
  expect(login.attempt.expired).toBe(expired);
});

test('a directory that is away is nobody’s fault', async () => {
  const { changes, login } = start({ accounts: { setPassword: () => Promise.reject(new AccountsAway()) } });
  const task = await changes.next(login);
  await expect(outcome(task, filled({ password: 'new' }))).rejects.toBeInstanceOf(AccountsAway);
});

test.each([
  ['given back empty', filled({}, 'cancel'), 'aborted'],
  ['left out', Element.of('task-data', NS.sasl2), 'aborted'],
  ['without a password', filled({ password: '' }), 'malformed-request'],
  ['with what can be no password', filled({ password: 'a\tb' }), 'credentials-expired'],
  ['of somebody else', filled({ username: 'romeo', password: 'new' }), 'invalid-authzid'],
])('a form that is %s changes nothing', async (_, element, condition) => {
  const { changes, login, set } = start();
  expect((await outcome(await changes.next(login), element))[0]).toBe(condition);
  expect(set).toEqual([]);
});

test('it is changed so many times in an hour', async () => {
  const limit = { limits: { registration: { passwordChangesPerHour: 2 } } };
  const { changes, login, set, limits } = start({ config: limit });
  const task = await changes.next(login);
  for (let i = 0; i < 3; i++) await outcome(task, filled({ password: `new-${i}` }));
  expect(set).toHaveLength(2);
  expect(limits).toEqual(['password-changes']);
});
