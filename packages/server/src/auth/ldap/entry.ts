/** An entry as a search gives it. */
export interface Entry {
  readonly dn: string;
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
  /** The first value of an attribute, whatever the case of its name. */
  text(name: string): string | undefined;
  texts(name: string): string[];
}

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
export function entryOf(
  dn: string,
  attributes: Iterable<readonly [name: string, values: readonly (Buffer | string)[]]>,
): Entry {
  const map = new Map<string, readonly Buffer[]>();
  for (const [name, values] of attributes) {
    if (values.length === 0) continue;
    map.set(
      name.toLowerCase(),
      values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value)),
    );
  }
  return new DirectoryEntry(dn, map);
}
