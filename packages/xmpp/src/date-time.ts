const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** An instant in the dateTime profile of XEP-0082 §3.2, in UTC with milliseconds. `time`: milliseconds since 1970. */
export function formatDateTime(time: number): string {
  return new Date(time).toISOString();
}

/** Milliseconds since 1970, or undefined where the text is not of the dateTime profile (XEP-0082 §3.2). */
export function parseDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC takes the years 0 to 99 for 1900 to 1999
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  date.setUTCHours(hour, minute, second, milliseconds);
  const offset = zoneMinutes(match[8], match[9], match[10]);
  return offset === undefined ? undefined : date.getTime() - offset * 60_000;
}

/** XML Schema: zones lie within fourteen hours of UTC. */
function zoneMinutes(sign = '+', hours = '00', minutes = '00'): number | undefined {
  const total = Number(hours) * 60 + Number(minutes);
  if (Number(minutes) > 59 || total > 14 * 60) return undefined;
  return sign === '-' ? -total : total;
}
