interface Flushable {
  flush(): void;
}

let dirty: Flushable[] = [];

/** Has `flush` called once when the current turn of the event loop ends: many small writes become one. */
export function flushAtEndOfTurn(target: Flushable): void {
  if (dirty.length === 0) setImmediate(flushAll);
  dirty.push(target);
}

function flushAll(): void {
  const targets = dirty;
  dirty = [];
  for (const target of targets) target.flush();
}
