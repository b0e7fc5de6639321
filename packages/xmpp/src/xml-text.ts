/** How many characters of white space stand in a text from `start` on. */
export function leadingWhiteSpace(text: string, start = 0): number {
  let i = start;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break;
  }
  return i - start;
}

/** The name in the end tag that ends at `end`. */
export function endTagName(text: string, end: number): string {
  const inside = text.slice(text.lastIndexOf('<', end - 1) + 2, end - 1);
  return inside.replace(/[ \t\r\n]+$/, ''); // trimEnd() takes more for white space than XML does
}

/** Where an element may end that is open under this name, or whose start tag stands from `start` on: nowhere before. */
export function possibleEnd(text: string, start: number, name: string | undefined): number {
  const tag = name === undefined ? start : text.indexOf(`</${name}`, start);
  const end = tag === -1 ? -1 : text.indexOf('>', tag);
  return end === -1 ? text.length : end + 1;
}
