/** A configuration as it was written, before any check; its keys come from outside. */
export type Tree = Record<string, unknown>;

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy without prototypes and without empty entries: `tls:` with nothing behind it is the same as no `tls`. */
export function plant(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plant);
  if (!isTree(value)) return value;
  const tree: Tree = Object.create(null);
  for (const [key, entry] of Object.entries(value)) {
    if (entry !== null && entry !== undefined) tree[key] = plant(entry);
  }
  return tree;
}

/** Sets the value at `path`, making groups on the way; false where something else than a group is in the way. */
export function put(tree: Tree, path: readonly string[], value: unknown): boolean {
  let group = tree;
  for (const key of path.slice(0, -1)) {
    const next = group[key] ?? Object.create(null);
    if (!isTree(next)) return false;
    group[key] = next;
    group = next;
  }
  const last = path.at(-1);
  if (last !== undefined) group[last] = value;
  return last !== undefined;
}
