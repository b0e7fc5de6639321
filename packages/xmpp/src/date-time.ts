/** The date and time profiles of XEP-0082. What is written is always UTC: an offset would tell where somebody is. */

const datePattern = /^(\d{4})-(\d\d)-(\d\d)$/;
const timePattern = /^(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/;
const minuteMs = 60_000;
const dayMs = 86_400_000;
const latest = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const earliest = -62_167_219_200_000; // 0000-01-01T00:00:00Z

/** A time of day. */
export interface TimeOfDay {
  /** Milliseconds since midnight, there where the offset holds. */
  readonly milliseconds: number;
  /** Minutes ahead of UTC; undefined where the text says nothing about the zone. */
  readonly offset: number | undefined;
}

/** `1969-07-21T02:56:15.000Z` for milliseconds since 1970. Throws RangeError outside of the years 0 to 9999. */
export function formatDateTime(milliseconds: number): string {
  if (!(milliseconds >= earliest && milliseconds <= latest)) throw new RangeError('the year must have four digits');
  return new Date(milliseconds).toISOString();
}

/** Milliseconds since 1970, fractions cut off; undefined where the text is no DateTime (XEP-0082 §3.2). */
export function parseDateTime(text: string): number | undefined {
  if (text.charAt(10) !== 'T') return undefined;
  const date = parseDate(text.slice(0, 10));
  const time = parseTime(text.slice(11));
  if (date === undefined || time?.offset === undefined) return undefined;
  return date + time.milliseconds - time.offset * minuteMs;
}

/** `1776-07-04` for milliseconds since 1970. */
export function formatDate(milliseconds: number): string {
  return formatDateTime(milliseconds).slice(0, 10);
}

/** Midnight UTC in milliseconds since 1970; undefined where the text is no Date (XEP-0082 §3.1). */
export function parseDate(text: string): number | undefined {
  const [, year, month, day] = (datePattern.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day that does not exist would have become one of the next month.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
}

/** `16:00:00.000Z` for milliseconds since midnight UTC. Throws RangeError outside of one day. */
export function formatTime(milliseconds: number): string {
  if (!(milliseconds >= 0 && milliseconds < dayMs)) throw new RangeError('the time must be within one day');
  return formatDateTime(milliseconds).slice(11);
}

/** Undefined where the text is no Time (XEP-0082 §3.3). */
export function parseTime(text: string): TimeOfDay | undefined {
  const match = timePattern.exec(text);
  if (match === null) return undefined;
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const fraction = Number((match[4] ?? '').slice(0, 3).padEnd(3, '0'));
  const offset = match[5] === undefined ? undefined : parseOffset(match[5]);
  if (offset !== undefined && Number.isNaN(offset)) return undefined;
  return { milliseconds: ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction, offset };
}

/** Minutes ahead of UTC; NaN where no place on earth has that offset (XML Schema allows up to 14 hours). */
function parseOffset(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  if (Number(zone.slice(4)) > 59 || minutes > 14 * 60) return Number.NaN;
  return zone.startsWith('-') ? -minutes : minutes;
}
