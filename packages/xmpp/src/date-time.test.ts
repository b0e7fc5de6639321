import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDate, formatDateTime, formatTime, parseDate, parseDateTime, parseTime } from './date-time.ts';

describe('DateTime', () => {
  test.each([
    ['1969-07-21T02:56:15Z', '1969-07-21T02:56:15.000Z'],
    ['1969-07-20T21:56:15-05:00', '1969-07-21T02:56:15.000Z'],
    ['2002-09-10T23:41:07.5Z', '2002-09-10T23:41:07.500Z'],
    ['2002-09-10T23:41:07.123456789+14:00', '2002-09-10T09:41:07.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ])('%s', (text, utc) => {
    const milliseconds = parseDateTime(text);
    expect(milliseconds === undefined ? undefined : formatDateTime(milliseconds)).toBe(utc);
  });

  test.each([
    '',
    '2002-09-10',
    '2002-09-10T23:41:07',
    '2002-09-10 23:41:07Z',
    '2002-09-10t23:41:07Z',
    '20020910T23:41:07',
    '2002-9-10T23:41:07Z',
    '2002-09-10T23:41Z',
    '2002-09-10T23:41:07z',
    '2002-09-10T23:41:07.Z',
    '2002-09-10T23:41:07,5Z',
    '2002-09-10T23:41:07+0100',
    '2002-09-10T23:41:07+15:00',
    '2002-09-10T23:41:07+01:60',
    '2002-09-10T24:00:00Z',
    '2002-09-10T23:60:00Z',
    '2002-09-10T23:59:60Z',
    '2023-02-29T00:00:00Z',
    '2002-13-01T00:00:00Z',
    '2002-00-10T00:00:00Z',
    '2002-01-00T00:00:00Z',
    '-2002-01-01T00:00:00Z',
    '12002-01-01T00:00:00Z',
    ' 2002-09-10T23:41:07Z',
    '2002-09-10T23:41:07Z\n',
    '\u0662002-09-10T23:41:07Z',
  ])('%j is none', (text) => {
    expect(parseDateTime(text)).toBeUndefined();
  });

  test('every moment comes back', () => {
    const range = { min: Date.parse('0000-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59.999Z') };
    fc.assert(
      fc.property(fc.integer(range), (milliseconds) => {
        expect(parseDateTime(formatDateTime(milliseconds))).toBe(milliseconds);
      }),
    );
    expect(() => formatDateTime(range.max + 1)).toThrow(RangeError);
    expect(() => formatDateTime(range.min - 1)).toThrow(RangeError);
    expect(() => formatDateTime(Number.NaN)).toThrow(RangeError);
  });
});

test('Date', () => {
  expect(parseDate('1776-07-04')).toBe(Date.UTC(1776, 6, 4));
  expect(formatDate(Date.UTC(1776, 6, 4, 23, 59))).toBe('1776-07-04');
  for (const text of ['1776-7-4', '1776-07-04Z', '1776-07-32', '17760704', '']) expect(parseDate(text)).toBeUndefined();
});

test('Time', () => {
  expect(parseTime('16:00:00')).toEqual({ milliseconds: 57_600_000, offset: undefined });
  expect(parseTime('16:00:00.25Z')).toEqual({ milliseconds: 57_600_250, offset: 0 });
  expect(parseTime('00:00:01-07:30')).toEqual({ milliseconds: 1000, offset: -450 });
  for (const text of ['16:00', '24:00:00', '16:00:00+', '6:00:00', '']) expect(parseTime(text)).toBeUndefined();
  expect(formatTime(57_600_000)).toBe('16:00:00.000Z');
  expect(formatTime(57_600_250)).toBe('16:00:00.250Z');
  expect(() => formatTime(86_400_000)).toThrow(RangeError);
});
