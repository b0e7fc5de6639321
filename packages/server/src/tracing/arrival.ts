// When the bytes came of the stanza that is being read: known before anybody knows whether it is to be traced.

/** Nodes of this process that trace stanzas. */
let interested = 0;
/** By `performance.now()`; 0 where it is not known. */
let arrivedAt = 0;
/** The same of elements that wait until the one before is done with. */
const waiting = new WeakMap<object, number>();

export function watchArrivals(): void {
  interested++;
}

export function ignoreArrivals(): void {
  interested--;
}

/** Bytes came, and are about to be read. */
export function bytesCame(): void {
  if (interested > 0) arrivedAt = performance.now();
}

/** What came is read, and whatever is taken up from now on came earlier. */
export function bytesRead(): void {
  arrivedAt = 0;
}

/** An element was read that is not taken up yet. */
export function elementWaits(element: object): void {
  if (interested > 0 && arrivedAt !== 0) waiting.set(element, arrivedAt);
}

/** An element is taken up that has waited. */
export function elementTurn(element: object): void {
  if (interested > 0) arrivedAt = waiting.get(element) ?? 0;
}

/** When what is taken up now has arrived, as far as that is known. */
export const arrival = (): number => (arrivedAt === 0 ? performance.now() : arrivedAt);
