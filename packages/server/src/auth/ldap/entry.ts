import type { Entry as FoundEntry } from 'ldapts';
import type { Entry } from './directory.ts';

/**
 * Makes ldapts hand over every value as the bytes that came: it asks this list about each attribute. Otherwise values
 * that happen to be text would come as strings, and numbers in 16 bytes are text at times.
 */
class EveryAttribute extends Array<string> {
  override includes(): boolean {
    return true;
  }
}

export const asBytes: string[] = new EveryAttribute();

class DirectoryEntry implements Entry {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;

  constructor(dn: string, attributes: ReadonlyMap<string, readonly Buffer[]>) {
    this.dn = dn;
    this.attributes = attributes;
  }

  text(name: string): string | undefined {
    return this.attributes.get(name.toLowerCase())?.[0]?.toString('utf8');
  }

  texts(name: string): string[] {
    return (this.attributes.get(name.toLowerCase()) ?? []).map((value) => value.toString('utf8'));
  }
}

/** An entry of these values; attributes without any are left out. */
export function entryOf(dn: string, attributes: Iterable<readonly [name: string, values: readonly Buffer[]]>): Entry {
  const map = new Map<string, readonly Buffer[]>();
  for (const [name, values] of attributes) if (values.length > 0) map.set(name.toLowerCase(), values);
  return new DirectoryEntry(dn, map);
}

/** An entry as ldapts has found it with `asBytes`. */
export function foundEntry({ dn, ...attributes }: FoundEntry): Entry {
  const bytes = (value: Buffer | string) => (typeof value === 'string' ? Buffer.from(value) : value);
  const list = Object.entries(attributes).map(
    ([name, value]) => [name, Array.isArray(value) ? value.map(bytes) : [bytes(value)]] as const,
  );
  return entryOf(dn, list);
}
