import { bidiClassRuns, joiningTypeRuns } from './unicode-runs.ts';

interface PropertyRuns {
  begins: Uint32Array;
  ends: Uint32Array;
  values: string[];
}

/** R; AL is `A`, AN is `a`, EN `E`, ES `e`, CS `c`, ET `t`, ON `O`, BN `B`, NSM `N`; everything else is `L`. */
export type BidiClass = 'R' | 'A' | 'a' | 'E' | 'e' | 'c' | 't' | 'O' | 'B' | 'N' | 'L';

/** Left-, dual-, right-joining, transparent; `U` for all the rest. */
export type JoiningType = 'L' | 'D' | 'R' | 'T' | 'U';

function decodeRuns(text: string): PropertyRuns {
  const tokens = text.trimEnd().split(' ');
  const begins = new Uint32Array(tokens.length);
  const ends = new Uint32Array(tokens.length);
  const values: string[] = [];
  let position = 0;
  for (const [index, token] of tokens.entries()) {
    const letterAt = token.search(/[A-Za-z]/);
    begins[index] = position + Number(token.slice(0, letterAt));
    position = (begins[index] ?? 0) + Number(token.slice(letterAt + 1)) + 1;
    ends[index] = position;
    values.push(token.charAt(letterAt));
  }
  return { begins, ends, values };
}

function lookUp({ begins, ends, values }: PropertyRuns, codePoint: number): string | undefined {
  let low = 0;
  let high = begins.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (codePoint < (begins[middle] ?? 0)) high = middle - 1;
    else if (codePoint >= (ends[middle] ?? 0)) low = middle + 1;
    else return values[middle];
  }
  return undefined;
}

const bidiClasses = decodeRuns(bidiClassRuns);
const joiningTypes = decodeRuns(joiningTypeRuns);

export function bidiClass(codePoint: number): BidiClass {
  return (lookUp(bidiClasses, codePoint) ?? 'L') as BidiClass;
}

export function joiningType(codePoint: number): JoiningType {
  return (lookUp(joiningTypes, codePoint) ?? 'U') as JoiningType;
}

/**
 * Whether the canonical combining class is Virama (9). Normalisation sorts marks by their class, so a mark of class 9 is
 * one that a mark of class 8 is moved in front of and that is itself moved in front of one of class 10.
 */
export function isVirama(codePoint: number): boolean {
  if (codePoint < 0x300 || codePoint === 0x3099 || codePoint === 0x5b0) return false;
  const mark = String.fromCodePoint(codePoint);
  const before = `\u05b0${mark}`.normalize('NFD') === `${mark}\u05b0`;
  const after = `${mark}\u3099`.normalize('NFD') === `\u3099${mark}`;
  return before && after;
}
