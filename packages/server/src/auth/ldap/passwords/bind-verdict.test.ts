import { describe, expect, test } from 'vitest';
import type { BindKind, BindPolicy } from './bind-outcome.ts';
import { noticeOf, refusalOf, verdictOf } from './bind-verdict.ts';

const help = { help: '' };
const outcome = (kind: BindKind, policy?: BindPolicy) => ({
  kind,
  code: 49,
  diagnostic: 'words',
  proved: false,
  policy,
});
const DAY = 86_400_000;

describe('the verdict on a password', () => {
  test.each([
    ['accepted', undefined, undefined],
    ['grace', { graceLeft: 0 }, /the last time/],
    ['grace', { graceLeft: 1 }, /once more/],
    ['grace', { graceLeft: 3 }, /3 times more/],
    ['expiring', { expiresInSeconds: 259_200 }, /expires in 3 days/],
    ['expiring', { expiresInSeconds: 7200 }, /expires in 2 hours/],
    ['expiring', { expiresInSeconds: 60 }, /expires within two hours/],
  ] as const)('lets in where it is %s %j', (kind, policy, notice) => {
    const verdict = verdictOf(outcome(kind, policy), help, false);
    expect(verdict).toEqual({ accepted: true, ...(notice && { notice: expect.stringMatching(notice) }) });
  });

  test.each([
    ['locked', 'account-disabled'],
    ['disabled', 'account-disabled'],
    ['expired', 'credentials-expired'],
    ['must-change', 'credentials-expired'],
  ] as const)('says that it is %s to those alone who know it', (kind, condition) => {
    const told = verdictOf(outcome(kind), { help: 'Call 1234.' }, true);
    expect(told).toEqual({ accepted: false, condition, text: expect.stringMatching(/directory.* Call 1234\.$/) });
    expect(verdictOf(outcome(kind), help, false)).toEqual({ accepted: false, condition: 'not-authorized' });
  });

  test.each(['wrong', 'unknown'] as const)('is the same for everything that is %s', (kind) => {
    expect(verdictOf(outcome(kind), help, true)).toEqual({ accepted: false, condition: 'not-authorized' });
  });

  test('is none where the directory is away', () => {
    expect(verdictOf(outcome('away'), help, false)).toEqual({ accepted: false, condition: 'temporary-auth-failure' });
  });
});

test('the state of an entry refuses where the way to log in goes around the policy', () => {
  expect(refusalOf({ kind: 'active' }, help)).toBeUndefined();
  expect(refusalOf({ kind: 'active', expiresAt: 2000 }, help, 1000)).toBeUndefined();
  expect(refusalOf({ kind: 'active', expiresAt: 1000 }, help, 2000)).toMatchObject({
    condition: 'credentials-expired',
  });
  expect(refusalOf({ kind: 'locked', until: 0 }, help)?.text).toMatch(/until 1970-01-01T00:00:00.000Z/);
  expect(refusalOf({ kind: 'must-change' }, help)).toMatchObject({ condition: 'credentials-expired' });
});

test('a password that expires soon is worth a notice', () => {
  const settings = { warnDays: 7, help: '' };
  expect(noticeOf({ kind: 'active' }, settings)).toBeUndefined();
  expect(noticeOf({ kind: 'active', expiresAt: 8 * DAY }, settings, 0)).toBeUndefined();
  expect(noticeOf({ kind: 'active', expiresAt: 6 * DAY }, settings, 0)).toMatch(/in 6 days/);
  expect(noticeOf({ kind: 'active', expiresAt: 0 }, { ...settings, warnDays: 0 }, 1)).toBeUndefined();
});
