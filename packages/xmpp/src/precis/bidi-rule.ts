import { bidiClass } from './unicode-property.ts';

/** Whether the text holds a right-to-left code point (R, AL or AN; RFC 5893 §1.4). */
export function isRightToLeft(text: readonly number[]): boolean {
  return text.some((codePoint) => {
    const direction = bidiClass(codePoint);
    return direction === 'R' || direction === 'A' || direction === 'a';
  });
}

/** The six conditions of RFC 5893 §2. The empty text fails. */
export function satisfiesBidiRule(text: readonly number[]): boolean {
  const classes = text.map(bidiClass);
  const first = classes[0];
  let last = classes.length - 1;
  while (last >= 0 && classes[last] === 'N') last--;
  const final = classes[last];

  if (first === 'R' || first === 'A') {
    if (final !== 'R' && final !== 'A' && final !== 'E' && final !== 'a') return false; // condition 3
    if (classes.includes('E') && classes.includes('a')) return false; // condition 4
    return !classes.includes('L'); // condition 2
  }
  if (first !== 'L') return false; // condition 1
  if (final !== 'L' && final !== 'E') return false; // condition 6
  return !classes.some((direction) => direction === 'R' || direction === 'A' || direction === 'a'); // condition 5
}
