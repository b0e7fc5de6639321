/**
 * One of several, the same one for the same key wherever it is chosen. Where one of them is gone, only those of its keys
 * get another one (highest random weight).
 */
export function choose<T extends { readonly id: string }>(among: readonly T[], key: string): T | undefined {
  let [chosen] = among;
  if (chosen === undefined || among.length === 1) return chosen;
  let most = -1;
  for (const each of among) {
    const weight = hash(`${each.id} ${key}`);
    if (weight > most || (weight === most && each.id > chosen.id)) {
      most = weight;
      chosen = each;
    }
  }
  return chosen;
}

/** FNV-1a of the characters, mixed so that texts that differ at their end alone differ everywhere. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
