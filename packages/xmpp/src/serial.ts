const MODULUS = 2 ** 32;

/** How far `later` is ahead of `earlier` in numbers that begin again after 2^32 - 1; negative where it is behind. */
export function serialDistance(later: number, earlier: number): number {
  const distance = (later - earlier) >>> 0;
  return distance < MODULUS / 2 ? distance : distance - MODULUS;
}

/** The number `steps` further on. */
export function serialAdd(number: number, steps: number): number {
  return (number + steps) >>> 0;
}
