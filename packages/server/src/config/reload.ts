import { isDeepStrictEqual } from 'node:util';
import { type OptionSchema, optionSchema } from './option-schema.ts';
import type { Configuration, ModuleSettings } from './schema.ts';
import { isTree, type Tree } from './tree.ts';

/** What a new configuration changes, by path. */
export interface Changes {
  /** Changes that a running node takes over. */
  live: string[];
  /** Changes that wait for a restart. */
  restart: string[];
}

interface Difference {
  path: string;
  live: boolean;
  apply: () => void;
}

/** Compares a running configuration with a new one. */
export function compare(running: Configuration, next: Configuration, modules: readonly ModuleSettings[] = []): Changes {
  return sorted(differences(running, next, optionSchema(modules), ''));
}

/**
 * Takes over what can change while the node runs, into `running` itself: whoever keeps a group of options (not a
 * value out of it) sees the change. Answers what was taken over and what waits for a restart.
 */
export function apply(running: Configuration, next: Configuration, modules: readonly ModuleSettings[] = []): Changes {
  const found = differences(running, next, optionSchema(modules), '');
  for (const difference of found) if (difference.live) difference.apply();
  return sorted(found);
}

const sorted = (found: Difference[]): Changes => ({
  live: found.filter(({ live }) => live).map(({ path }) => path),
  restart: found.filter(({ live }) => !live).map(({ path }) => path),
});

function differences(running: Tree, next: Tree, option: OptionSchema, path: string): Difference[] {
  return Object.entries(option.properties ?? {}).flatMap(([key, entry]) => {
    const here = path === '' ? key : `${path}.${key}`;
    const one = running[key];
    const other = next[key];
    if (entry.properties && isTree(one) && isTree(other)) return differences(one, other, entry, here);
    if (isDeepStrictEqual(one, other)) return [];
    const byName = entry.named || entry.items?.shorthand === 'name';
    const named = byName && entry.items ? namedDifferences(one, other, entry.items, here) : undefined;
    if (named) return named;
    return [
      {
        path: here,
        live: entry.live ?? false,
        apply: () => {
          running[key] = other;
        },
      },
    ];
  });
}

/** Of lists whose entries have names, when both name the same; undefined otherwise: such a list changes as a whole. */
function namedDifferences(one: unknown, other: unknown, option: OptionSchema, path: string): Difference[] | undefined {
  const before = entriesOf(one);
  const after = entriesOf(other);
  if (before.size !== after.size || ![...before.keys()].every((name) => after.has(name))) return undefined;
  return [...before].flatMap(([name, entry]) =>
    differences(entry, after.get(name) as Tree, option, `${path}[${name}]`),
  );
}

const entriesOf = (list: unknown): Map<string, Tree> =>
  new Map((Array.isArray(list) ? list : []).filter(isTree).map((entry) => [String(entry.name), entry]));
