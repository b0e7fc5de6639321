/** The candidate that was probably meant by `text`, if one is near enough. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  if (text.length > 100) return undefined;
  const wanted = plain(text);
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const other = plain(candidate);
    // A name with its unit or its group left out is meant as surely as one with a letter wrong.
    const distance = wanted.length >= 4 && other.includes(wanted) ? 1 : editDistance(wanted, other);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '');

// Levenshtein's distance, a row at a time.
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[other.length] as number;
}
