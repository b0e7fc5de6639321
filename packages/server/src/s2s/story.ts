/** Tells what happens on the way, for people. */
export type Tell = (line: string) => void;

const MOST_LINES = 200;
const MOST_CHARACTERS = 500;

/**
 * Tells somebody how one attempt to reach a domain goes, line by line, each with its time. What others have written may be
 * in it: lines are cut, and have no control characters.
 */
export function story(listener: Tell): Tell {
  const startedAt = performance.now();
  let count = 0;
  return (line) => {
    if (++count > MOST_LINES) return;
    const text = line.slice(0, MOST_CHARACTERS).replace(/\p{C}/gu, '?');
    listener(`${((performance.now() - startedAt) / 1000).toFixed(3)} s  ${text}`);
  };
}
