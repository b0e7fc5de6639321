interface Flushable {
  flush(): void;
}

let dirty: Flushable[] = [];
/** Of this turn, once it was asked for; 0 before that. */
let time = 0;

/** Has `flush` called once when the current turn of the event loop ends: many small writes become one. */
export function flushAtEndOfTurn(target: Flushable): void {
  if (dirty.length === 0) setImmediate(flushAll);
  dirty.push(target);
}

/** `performance.now()`, read once in a turn in which something is written: to know when something was done last. */
export function turnTime(): number {
  if (dirty.length === 0) return performance.now();
  if (time === 0) time = performance.now();
  return time;
}

function flushAll(): void {
  const targets = dirty;
  dirty = [];
  time = 0;
  for (const target of targets) target.flush();
}
