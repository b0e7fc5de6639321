import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDateTime, parseDateTime } from './date-time.ts';

describe('XEP-0082 dateTime', () => {
  it('writes UTC with milliseconds', () => {
    expect(formatDateTime(Date.UTC(1969, 6, 21, 2, 56, 15))).toBe('1969-07-21T02:56:15.000Z');
  });

  it.each([
    ['1969-07-21T02:56:15Z', Date.UTC(1969, 6, 21, 2, 56, 15)],
    ['1969-07-20T21:56:15-05:00', Date.UTC(1969, 6, 21, 2, 56, 15)],
    ['2002-09-10T23:08:25.7Z', Date.UTC(2002, 8, 10, 23, 8, 25, 700)],
    ['2002-09-10T23:08:25.123456Z', Date.UTC(2002, 8, 10, 23, 8, 25, 123)],
    ['2024-02-29T00:00:00+14:00', Date.UTC(2024, 1, 28, 10)],
    ['0050-01-01T00:00:00Z', Date.parse('0050-01-01T00:00:00Z')],
  ])('reads %s', (text, time) => {
    expect(parseDateTime(text)).toBe(time);
  });

  it.each([
    '',
    '20020910T23:08:25',
    '2002-09-10',
    '2002-09-10T23:08:25',
    '2002-9-10T23:08:25Z',
    '2002-13-10T23:08:25Z',
    '2023-02-29T00:00:00Z',
    '2002-09-00T23:08:25Z',
    '2002-09-10T24:08:25Z',
    '2002-09-10T23:60:25Z',
    '2002-09-10T23:08:60Z',
    '2002-09-10T23:08:25.Z',
    '2002-09-10T23:08:25+15:00',
    '2002-09-10T23:08:25+01:60',
    '2002-09-10T23:08:25z',
    ' 2002-09-10T23:08:25Z',
    '+002002-09-10T23:08:25Z',
  ])('refuses %j', (text) => {
    expect(parseDateTime(text)).toBeUndefined();
  });

  it('reads what it writes', () => {
    const time = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(fc.property(time, (date) => parseDateTime(formatDateTime(date.getTime())) === date.getTime()));
  });
});
