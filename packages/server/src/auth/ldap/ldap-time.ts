/** Milliseconds since 1970 of a generalized time (RFC 4517 §3.3.13), such as 20261126114600Z; undefined for what is none. */
export function generalizedTime(text: string | undefined): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)?)?(?:[.,](\d+))?(?:Z|([+-])(\d\d)(\d\d)?)$/.exec(text ?? '');
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHours, zoneMinutes] = parts;
  const at = new Date(0);
  at.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  at.setUTCHours(Number(hour), Number(minute ?? 0), Number(second ?? 0));
  const unit = second !== undefined ? 1000 : minute !== undefined ? 60_000 : 3_600_000;
  const east = (sign === '-' ? -1 : 1) * (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0));
  return at.getTime() + Math.floor(Number(`0.${fraction ?? 0}`) * unit) - east * 60_000;
}

/** Between 1601, where Microsoft's times begin, and 1970. */
const EPOCH = 11_644_473_600_000n;
const NEVER = 0x7fff_ffff_ffff_ffffn;

/**
 * Milliseconds since 1970 of Microsoft's FILETIME (hundreds of nanoseconds since 1601): `never` where it says so, 0 for
 * 0; undefined for what is none.
 */
export function fileTime(text: string | undefined): number | 'never' | undefined {
  if (text === undefined || !/^-?\d{1,20}$/.test(text)) return undefined;
  const ticks = BigInt(text);
  if (ticks >= NEVER || ticks < 0n) return 'never';
  return ticks === 0n ? 0 : Number(ticks / 10_000n - EPOCH);
}
