import { BER, type BerElement, BerSequence, berElements } from '../../packages/server/src/auth/ldap/connection/ber.ts';

/** What a filter asks an entry for: values by name in lower case. */
export type FilteredEntry = ReadonlyMap<string, readonly Buffer[]>;

const BIT_AND = '1.2.840.113556.1.4.803';

const numeric = (value: Buffer) => (/^-?\d+$/.test(value.toString()) ? BigInt(value.toString()) : undefined);
const same = (a: Buffer, b: Buffer) => a.equals(b) || a.toString().toLowerCase() === b.toString().toLowerCase();

function compare(a: Buffer, b: Buffer): number {
  const [left, right] = [numeric(a), numeric(b)];
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0;
  return Buffer.compare(a, b);
}

/** RFC 4511 §4.5.1.7, as far as Active Directory's clients use it: attributes match without regard to case. */
export function matches({ tag, content }: BerElement, entry: FilteredEntry): boolean {
  switch (tag) {
    case 0xa0:
      return [...berElements(content)].every((each) => matches(each, entry));
    case 0xa1:
      return [...berElements(content)].some((each) => matches(each, entry));
    case 0xa2:
      return ![...berElements(content)].some((each) => matches(each, entry));
    case 0x87:
      return /^objectclass$/i.test(content.toString()) || entry.has(content.toString().toLowerCase());
    case 0xa4:
      return substrings(content, entry);
    case 0xa9:
      return extensible(content, entry);
  }
  const parts = new BerSequence(content);
  const name = parts.text().toLowerCase();
  const values = entry.get(name) ?? [];
  const asked = parts.take(BER.octetString);
  // a class stands there by its DN, and is asked for by its name
  if (name === 'objectcategory' && !asked.includes('=')) {
    return values.some((value) => value.toString().toLowerCase().startsWith(`cn=${asked.toString().toLowerCase()},`));
  }
  if (tag === 0xa5) return values.some((value) => compare(value, asked) >= 0);
  if (tag === 0xa6) return values.some((value) => compare(value, asked) <= 0);
  return values.some((value) => same(value, asked));
}

function substrings(content: Buffer, entry: FilteredEntry): boolean {
  const parts = new BerSequence(content);
  const values = entry.get(parts.text().toLowerCase()) ?? [];
  const wanted = [...berElements(parts.take(BER.sequence))];
  return values.some((value) => {
    let rest = value.toString().toLowerCase();
    return wanted.every(({ tag, content: piece }) => {
      const text = piece.toString().toLowerCase();
      const at = tag === 0x82 ? rest.length - text.length : rest.indexOf(text);
      if (at < 0 || (tag === 0x80 && at > 0) || !rest.startsWith(text, at)) return false;
      rest = rest.slice(at + text.length);
      return true;
    });
  });
}

function extensible(content: Buffer, entry: FilteredEntry): boolean {
  const parts = new Map([...berElements(content)].map((each) => [each.tag, each.content.toString()]));
  const values = entry.get((parts.get(0x82) ?? '').toLowerCase()) ?? [];
  const asked = parts.get(0x83) ?? '';
  if (parts.get(0x81) !== BIT_AND) return values.some((value) => same(value, Buffer.from(asked)));
  return values.some((value) => (Number(value) & Number(asked)) === Number(asked));
}
