import { expect, test } from 'vitest';
import {
  type ClientRecord,
  decodeClient,
  encodeClient,
  type KeptToken,
  shown,
  tokensFor,
  withoutGrant,
  withoutPassword,
} from './client-record.ts';

const token = (nonce: string, more: Partial<KeptToken> = {}): KeptToken => ({
  mechanism: 'HT-SHA-256-NONE',
  nonce,
  issued: 1,
  expires: 2,
  ...more,
});
const [old, fresh] = [token('old'), token('fresh')];
const record: ClientRecord = { software: 'AwesomeXMPP', since: 1, seen: 1, current: old, next: fresh };

test('what is kept is read again, and nothing is nothing', () => {
  expect(decodeClient(encodeClient(record))).toEqual(record);
  expect(decodeClient('')).toBeUndefined();
});

test('the tokens of a mechanism are its own, the newest first', () => {
  expect(tokensFor(record, 'HT-SHA-256-NONE')).toEqual([fresh, old]);
  expect(tokensFor({ ...record, next: token('bound', { mechanism: 'HT-SHA-256-EXPR' }) }, 'HT-SHA-256-NONE')).toEqual([
    old,
  ]);
  expect(tokensFor({ since: 1, seen: 1 }, 'HT-SHA-256-NONE')).toEqual([]);
});

test('a new token that is shown takes the place of the former one', () => {
  expect(shown(record, fresh, 9, undefined)).toEqual({ ...record, seen: 9, current: fresh, next: undefined });
});

test('while the former one is shown, both are good', () => {
  expect(shown(record, old, 9, 7)).toEqual({ ...record, seen: 9, current: { ...old, count: 7 } });
});

test('one that is not there any more is none', () => {
  expect(shown(record, token('gone'), 9, undefined)).toBeUndefined();
});

const grant = { client: 'an-app', granted: 1, until: 2, restricted: true };

test('with another password goes all that came by it', () => {
  expect(withoutPassword({ ...record, password: true })).toBeUndefined();
  expect(withoutPassword({ ...record, password: true, other: true })).toMatchObject({
    password: undefined,
    current: undefined,
    next: undefined,
  });
  const granted = token('granted', { grant });
  expect(withoutPassword({ ...record, password: true, grant, next: granted })).toMatchObject({
    password: undefined,
    grant,
    current: undefined,
    next: granted,
  });
});

test('with what was granted goes all that came by it', () => {
  expect(withoutGrant({ ...record, grant })).toBeUndefined();
  expect(withoutGrant({ ...record, grant, password: true })).toMatchObject({
    password: true,
    grant: undefined,
    current: undefined,
    next: undefined,
  });
});
