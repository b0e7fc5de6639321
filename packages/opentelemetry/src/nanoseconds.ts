const TWO_32 = 2 ** 32;

/** Milliseconds since 1970 as the two halves of a number of nanoseconds, which no number of JavaScript holds. */
export function nanoseconds(milliseconds: number): readonly [high: number, low: number] {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = Math.round((milliseconds - seconds * 1000) * 1e6);
  // the product in two parts of 16 bits each, so that nothing of it is lost
  const upper = Math.floor(seconds / 65_536) * 1e9;
  const lower = (seconds % 65_536) * 1e9 + rest;
  const low = (upper % 65_536) * 65_536 + lower;
  return [Math.floor(upper / 65_536) + Math.floor(low / TWO_32), low % TWO_32];
}

/** The same in decimal digits. */
export function nanosecondsText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = Math.round((milliseconds - seconds * 1000) * 1e6);
  if (rest === 1e9) return `${seconds + 1}000000000`;
  return `${seconds}${String(rest).padStart(9, '0')}`;
}
