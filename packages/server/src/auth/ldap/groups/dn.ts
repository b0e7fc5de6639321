const SPECIAL = new Set(['"', '+', ',', ';', '<', '>', '\\', ' ', '#', '=']);

/**
 * A distinguished name in the one form in which it can be compared: attributes and values in small letters, without the
 * blanks that mean nothing, escaped in one way (RFC 4514). Text that is none stays as it is, in small letters: then it is
 * the name of nothing.
 */
export function comparableDn(text: string): string {
  const names: string[][] = [[]];
  let at = 0;
  while (at < text.length) {
    const equals = text.indexOf('=', at);
    if (equals < 0) return text.toLowerCase();
    const [value, end] = readValue(text, equals + 1);
    const type = text.slice(at, equals).trim().toLowerCase();
    names.at(-1)?.push(`${type}=${comparableValue(value)}`);
    if (text[end] === ',' || text[end] === ';') names.push([]);
    at = end + 1;
  }
  return names.map((pairs) => pairs.sort().join('+')).join(',');
}

/** The value of an attribute, and where it ends. */
function readValue(text: string, start: number): [value: string, end: number] {
  const bytes: Buffer[] = [];
  let kept = 0; // up to here blanks were escaped, and mean something
  let length = 0;
  const add = (piece: Buffer) => {
    bytes.push(piece);
    length += piece.length;
  };
  let at = start;
  while (text[at] === ' ') at++;
  while (at < text.length && text[at] !== ',' && text[at] !== '+' && text[at] !== ';') {
    if (text[at] !== '\\') {
      const [character = ''] = text.slice(at, at + 2);
      add(Buffer.from(character));
      if (character !== ' ') kept = length;
      at += character.length;
      continue;
    }
    const next = text[at + 1] ?? '';
    if (SPECIAL.has(next)) {
      add(Buffer.from(next));
      at += 2;
    } else {
      add(Buffer.from(text.slice(at + 1, at + 3), 'hex'));
      at += 3;
    }
    kept = length;
  }
  return [Buffer.concat(bytes).subarray(0, kept).toString('utf8'), at];
}

const comparableValue = (value: string): string =>
  value
    .normalize('NFKC')
    .toLowerCase()
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/[,+;\\]/g, (character) => `\\${character}`);
