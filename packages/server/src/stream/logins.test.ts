import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Registry } from '@parley/metrics/registry';
import { Jid } from '@parley/xmpp/jid';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StreamError } from '@parley/xmpp/stream-error';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  AccountsAway,
  AccountsBusy,
  type Authenticator,
  type PasswordVerdict,
  type Refusal,
} from '../auth/authenticator.ts';
import { defaultConfiguration } from '../config/schema.ts';
import { Log } from '../log.ts';
import { Peers } from '../peers.ts';
import { type LoginAttempt, Logins } from './logins.ts';
import type { Stream } from './stream.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const romeo = Jid.parse('romeo@montague.lit');
const wrong = new SaslError('not-authorized');

let logins: Logins;
let registry: Registry;
let now: number;
let waits: number[];
let limits: string[];
let faults: unknown[];
let lines: string;
let trusted: string;
let refusals: Map<string, Refusal>;
let verdicts: Map<string, PasswordVerdict>;
let notice: string | undefined;

const config = defaultConfiguration();
const limit = config.limits.logins;

beforeEach(() => {
  registry = new Registry();
  now = 0;
  waits = [];
  limits = [];
  faults = [];
  lines = '';
  trusted = '';
  refusals = new Map();
  verdicts = new Map();
  notice = undefined;
  logins = make();
});

const make = (peers?: Peers) =>
  new Logins({
    config: () => config,
    metrics: registry.metrics,
    log: Log.create({
      level: 'debug',
      output: {
        write: (line) => {
          lines += line;
        },
        flush() {},
      },
    }),
    authenticator: {
      refusal: (account: Jid) => refusals.get(account.local),
      verifyPassword: async (_, password) => verdicts.get(password) ?? { accepted: false, condition: 'not-authorized' },
      notice: () => notice,
      onChange: () => undefined,
    } as Partial<Authenticator> as Authenticator,
    trusts: (address) => address === trusted,
    now: () => now,
    wait: async (ms) => void waits.push(ms),
    ...(peers && { peers }),
  });

function attempt(remoteAddress = '192.0.2.1'): LoginAttempt {
  const host = {
    onLimit: (_: Stream, name: string) => limits.push(name),
    onFault: (error: unknown) => faults.push(error),
  };
  return { stream: { transport: { remoteAddress }, host, closed: false } as unknown as Stream, mechanism: 'PLAIN' };
}

/** A wrong password on a stream of its own. */
async function guess(account: Jid, address?: string): Promise<void> {
  const guessing = attempt(address);
  logins.admit(guessing, account);
  await logins.failed(guessing, wrong);
}

const admitted = (account: Jid, address?: string): boolean => {
  try {
    logins.admit(attempt(address), account);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SaslError);
    expect((error as SaslError).condition).toBe('temporary-auth-failure');
    return false;
  }
};

describe('guessing', () => {
  test('takes longer each time, up to a limit', async () => {
    for (let i = 0; i < 6; i++) await guess(juliet);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000, 8000]);
  });

  test('at one account stops, from one address and for a while', async () => {
    for (let i = 0; i < limit.failuresPerAccountAndAddress; i++) await guess(juliet);
    expect(admitted(juliet)).toBe(false);
    expect(limits).toEqual(['login-failures-per-account-and-address']);
    expect(admitted(romeo)).toBe(true);
    expect(admitted(juliet, '198.51.100.7')).toBe(true); // the owner, from elsewhere
    now = limit.windowSeconds * 1000;
    expect(admitted(juliet)).toBe(true);
  });

  test('at many accounts stops, too', async () => {
    for (let i = 0; i < limit.failuresPerAddress; i++) await guess(Jid.parse(`user${i}@capulet.lit`));
    expect(admitted(juliet)).toBe(false);
    expect(limits).toEqual(['login-failures-per-address']);
    expect(admitted(juliet, '198.51.100.7')).toBe(true);
  });

  test('from one network of IPv6 is guessing from one address', async () => {
    for (let i = 0; i < limit.failuresPerAccountAndAddress; i++) await guess(juliet, `2001:db8::${i + 1}`);
    expect(admitted(juliet, '2001:db8::ffff')).toBe(false);
    expect(admitted(juliet, '2001:db8:0:1::1')).toBe(true);
  });

  test('from a trusted network is not counted, but slowed down on a stream', async () => {
    trusted = '192.0.2.1';
    for (let i = 0; i < 50; i++) await guess(juliet);
    expect(admitted(juliet)).toBe(true);
    expect(new Set(waits)).toEqual(new Set([1000]));
    waits = [];
    const one = attempt();
    for (let i = 0; i < 3; i++) await logins.failed(one, wrong);
    expect(waits).toEqual([1000, 2000, 4000]);
  });

  test('is over for an account once its password was right', async () => {
    for (let i = 0; i < 3; i++) await guess(juliet);
    logins.succeeded(attempt(), juliet);
    waits = [];
    await guess(juliet);
    expect(waits).toEqual([1000]);
  });
});

describe('nodes count together', () => {
  /** Nodes that hear each other. */
  function nodes(): Logins[] {
    const peers = [new Peers(), new Peers(), new Peers()];
    for (const one of peers) {
      one.connect(async (...told) => {
        for (const other of peers) if (other !== one) await other.receive(...told);
      });
    }
    return peers.map(make);
  }

  const fail = async (node: Logins) => {
    const one = attempt();
    node.admit(one, juliet);
    await node.failed(one, wrong);
  };

  test('what failed anywhere, and the delay grows by it', async () => {
    const [one, two, three] = nodes() as [Logins, Logins, Logins];
    for (let i = 0; i < limit.failuresPerAccountAndAddress; i++) await fail(i % 2 === 0 ? one : two);
    expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(() => three.admit(attempt(), juliet)).toThrow(SaslError);
    expect(() => three.admit(attempt(), romeo)).not.toThrow();
    expect(() => three.admit(attempt('198.51.100.7'), juliet)).not.toThrow(); // the owner, from elsewhere
  });

  test('nothing any more where the owner has come', async () => {
    const [one, two] = nodes() as [Logins, Logins];
    for (let i = 0; i < limit.failuresPerAccountAndAddress - 1; i++) await fail(one);
    two.succeeded(attempt(), juliet);
    await fail(one);
    expect(() => one.admit(attempt(), juliet)).not.toThrow();
    expect(waits.at(-1)).toBe(1000);
  });

  test('each alone while they do not hear each other', async () => {
    const peers = new Peers();
    peers.connect(() => Promise.reject(new KeyspaceError('away', 'Redis is gone')));
    const alone = make(peers);
    await fail(alone);
    alone.succeeded(attempt(), juliet);
    expect(waits).toEqual([1000]);
  });
});

test('what is no guess is neither slowed down nor counted by address', async () => {
  for (const condition of ['aborted', 'invalid-mechanism', 'temporary-auth-failure', 'account-disabled'] as const) {
    for (let i = 0; i < 30; i++) await logins.failed({ ...attempt(), account: juliet }, new SaslError(condition));
  }
  expect(waits).toEqual([]);
  expect(admitted(juliet)).toBe(true);
});

test('a stream has so many wrong proofs, and then it ends', async () => {
  const one = attempt();
  for (let i = 0; i < 4; i++) expect(await logins.failed(one, wrong)).toEqual({ last: false });
  expect(await logins.failed(one, wrong)).toEqual({ last: true });
  expect(limits).toEqual(['login-failures-per-stream']);
  expect(await logins.failed(attempt(), wrong)).toEqual({ last: false }); // another stream
});

test('an attempt that tried no password counts a quarter', async () => {
  const one = attempt();
  const kinds = [new SaslError('aborted'), new SaslError('malformed-request'), new SaslError('mechanism-too-weak')];
  for (let i = 0; i < 19; i++) {
    expect(await logins.failed(one, kinds[i % 3] as SaslError)).toEqual({ last: false });
  }
  expect(await logins.failed(one, new SaslError('invalid-mechanism'))).toEqual({ last: true });
});

test('only an account that may log in is permitted, and others are told why', async () => {
  refusals.set('romeo', { condition: 'credentials-expired', text: 'Change it.' });
  await expect(logins.permit(attempt(), juliet)).resolves.toBeUndefined();
  await expect(logins.permit(attempt(), romeo)).rejects.toMatchObject({
    condition: 'credentials-expired',
    text: 'Change it.',
  });
});

describe('a password', () => {
  test('that is wrong is said to be so, with the words that the accounts have for it', async () => {
    verdicts.set('old', { accepted: false, condition: 'credentials-expired', text: 'It is old.' });
    await expect(logins.verify(attempt(), juliet, 'guess')).rejects.toMatchObject({ condition: 'not-authorized' });
    await expect(logins.verify(attempt(), juliet, 'old')).rejects.toMatchObject({
      condition: 'credentials-expired',
      text: 'It is old.',
    });
  });

  test('that is right may bring a notice, which is told once', async () => {
    verdicts.set('right', { accepted: true, notice: 'It is old.' });
    notice = 'It will be old.';
    const one = attempt();
    await logins.verify(one, juliet, 'right');
    await logins.permit(one, juliet);
    expect(logins.takeNotice(one.stream)).toBe('It is old.');
    expect(logins.takeNotice(one.stream)).toBeUndefined();
  });

  test('is not the only thing that brings one', async () => {
    notice = 'It will be old.';
    const one = attempt();
    await logins.permit(one, juliet);
    expect(logins.takeNotice(one.stream)).toBe('It will be old.');
  });
});

test('how long it took to find out that a proof is wrong is not to be seen', async () => {
  for (const took of [0, 3, 400, 5000]) {
    const one = attempt();
    logins.begin(one);
    now += took;
    await logins.failed({ ...one, account: Jid.parse(`user${took}@capulet.lit`) }, wrong);
  }
  expect(waits).toEqual([1000, 997, 600]);
});

describe('what went wrong', () => {
  const one = attempt();

  test('is said where it is the client’s business', () => {
    expect(logins.reasonOf(wrong, one.stream)).toBe(wrong);
  });

  test.each([new KeyspaceError('away', 'Redis is gone'), new AccountsBusy(), new AccountsAway()])(
    'is temporary: %s',
    (error) => {
      const reason = logins.reasonOf(error, attempt().stream);
      expect(reason.condition).toBe('temporary-auth-failure');
      expect(reason.text).toBeUndefined();
      expect(faults).toEqual([]);
    },
  );

  test('is reported where it is a fault, and not told', () => {
    const fault = new TypeError('secret details');
    const reason = logins.reasonOf(fault, attempt().stream);
    expect(reason.condition).toBe('temporary-auth-failure');
    expect(String(reason.toElement())).not.toContain('secret');
    expect(faults).toEqual([fault]);
  });

  test('ends the stream where it is an error of the stream', () => {
    const error = new StreamError('policy-violation');
    expect(() => logins.reasonOf(error, one.stream)).toThrow(error);
  });
});

test('every attempt is counted and written down', async () => {
  await guess(juliet);
  logins.succeeded(attempt(), juliet);
  const { metrics } = registry;
  expect(metrics.logins.with({ mechanism: 'PLAIN', outcome: 'not-authorized' }).value).toBe(1);
  expect(metrics.logins.with({ mechanism: 'PLAIN', outcome: 'success' }).value).toBe(1);
  const [failed, succeeded] = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(failed).toMatchObject({ event: 'login.failed', address: '192.0.2.1', condition: 'not-authorized' });
  expect(succeeded).toMatchObject({ event: 'login.succeeded', account: 'juliet@capulet.lit' });
});
