/** The numbers of an object identifier, each from 0 to 2^32 - 1. */
export type Oid = readonly number[];

/** Takes `1.3.6` and `.1.3.6`. Throws a RangeError where it is no object identifier. */
export function parseOid(text: string): Oid {
  const parts = text.replace(/^\./, '').split('.');
  const numbers = parts.map(Number);
  const good = parts.every((part) => /^\d{1,10}$/.test(part)) && numbers.every((number) => number <= 0xffff_ffff);
  if (!good || numbers.length > 128) throw new RangeError(`"${text.slice(0, 200)}" is no object identifier.`);
  return numbers;
}

export const oidText = (oid: Oid): string => oid.join('.');

/** Below 0 where `one` comes first in the order of a walk (RFC 3416 §4.2.2). */
export function compareOids(one: Oid, other: Oid): number {
  const shared = Math.min(one.length, other.length);
  for (let i = 0; i < shared; i++) {
    const difference = (one[i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

export const isWithin = (oid: Oid, subtree: Oid): boolean => subtree.every((number, i) => oid[i] === number);

/** A text as part of an index: its octets, after their number unless the length is implied (RFC 2578 §7.7). */
export function textIndex(text: string, implied = false): Oid {
  const octets = [...Buffer.from(text, 'utf8')];
  return implied ? octets : [octets.length, ...octets];
}
