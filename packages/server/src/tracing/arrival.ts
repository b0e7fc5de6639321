// When the bytes came of the stanza that is being read. Whether that is to be traced is known only when it is read, and
// looking at the clock for all of them would cost more than all the rest of tracing: so who traces says when one is near.

/** Nodes of this process of which one of the next stanzas is traced. */
let expecting = 0;
/** By `performance.now()`; 0 where it is not known. */
let arrivedAt = 0;
/** The same of elements that wait until the one before is done with. */
const waiting = new WeakMap<object, number>();

/** One of the next stanzas is traced. */
export function expectStanza(): void {
  expecting++;
}

/** It has come, or none is to be traced any more. */
export function expectNone(): void {
  expecting--;
}

/** Bytes came, and are about to be read. */
export function bytesCame(): void {
  if (expecting > 0) arrivedAt = performance.now();
}

/** What came is read, and whatever is taken up from now on came earlier. */
export function bytesRead(): void {
  arrivedAt = 0;
}

/** An element was read that is not taken up yet. */
export function elementWaits(element: object): void {
  if (arrivedAt !== 0) waiting.set(element, arrivedAt);
}

/** An element is taken up that has waited. */
export function elementTurn(element: object): void {
  if (expecting > 0) arrivedAt = waiting.get(element) ?? 0;
}

/** Has a function take up what came now, whenever its turn is. */
export function asArrived<Act extends () => unknown>(act: Act): Act {
  if (arrivedAt === 0) return act;
  const at = arrivedAt;
  const late = () => {
    const before = arrivedAt;
    arrivedAt = at;
    try {
      return act();
    } finally {
      arrivedAt = before;
    }
  };
  return late as Act;
}

/** When what is taken up now has arrived, as far as that is known. */
export const arrival = (): number => (arrivedAt === 0 ? performance.now() : arrivedAt);
