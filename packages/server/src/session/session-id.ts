// Ids of sessions, 16 hexadecimal digits in lower case, are eight bytes wherever they are kept or sent. Making a text of
// them for each stanza, and looking for that text among others, costs more than all else that is done with them: so the
// texts of those that are in use are remembered.

const DIGITS = '0123456789abcdef';

/** What a digit is worth, by its code; anything else is worth NO_DIGIT. */
const NO_DIGIT = 16;
const VALUES = new Uint8Array(128).fill(NO_DIGIT);
for (let value = 0; value < 16; value++) VALUES[DIGITS.charCodeAt(value)] = value;

/** Writes the eight bytes of an id. Throws a RangeError where it is none. */
export function putSessionId(bytes: Uint8Array, at: number, sid: string): void {
  let wrong = sid.length === 16 ? 0 : NO_DIGIT;
  for (let index = 0; index < 8; index++) {
    const high = VALUES[sid.charCodeAt(2 * index)] ?? NO_DIGIT;
    const low = VALUES[sid.charCodeAt(2 * index + 1)] ?? NO_DIGIT;
    wrong |= high | low;
    bytes[at + index] = (high << 4) | low;
  }
  if (wrong >= NO_DIGIT) throw new RangeError(`'${sid}' is no id of a session`);
}

/** As many as are remembered: each has one place, which the next one that belongs there takes. */
const PLACES = 4096;
const highs = new Uint32Array(PLACES);
const lows = new Uint32Array(PLACES);
const texts: (string | undefined)[] = Array.from({ length: PLACES }, () => undefined);

/** The id that the eight bytes are. */
export function sessionIdAt(bytes: Buffer, at: number): string {
  const high = bytes.readUInt32BE(at);
  const low = bytes.readUInt32BE(at + 4);
  const place = low % PLACES;
  const known = texts[place];
  if (known !== undefined && lows[place] === low && highs[place] === high) return known;
  const text = bytes.toString('hex', at, at + 8);
  highs[place] = high;
  lows[place] = low;
  texts[place] = text;
  return text;
}
