import { nearest } from './nearest.ts';
import { child, type OptionSchema } from './option-schema.ts';
import { type Problem, wanted } from './problem.ts';
import type { Tree } from './tree.ts';
import { put } from './tree.ts';

/** Names the configuration file itself, so it is no option. */
export const FILE_VARIABLE = 'PARLEY_CONFIG';

const PREFIX = 'PARLEY_';

// What Kubernetes sets in every container for a service whose name begins with parley.
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/** `maxBytes` → `MAX_BYTES`, `vcard-temp` → `VCARD_TEMP`. */
const variablePart = (key: string): string =>
  key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();

/** The variable that overrides the option at this path: `PARLEY_LIMITS__BYTES__PER_SECOND`. */
export const variableOf = (path: readonly string[]): string => PREFIX + path.map(variablePart).join('__');

/** Puts what the environment says over `tree`; answers what is wrong with it. */
export function override(tree: Tree, env: Readonly<Record<string, string | undefined>>, root: OptionSchema): Problem[] {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(env).sort()) {
    if (!name.startsWith(PREFIX) || name === FILE_VARIABLE || value === undefined) continue;
    const path = findPath(name.slice(PREFIX.length), root);
    if (path === undefined) {
      if (!SERVICE_LINK.test(name)) problems.push(unknownVariable(name, root));
      continue;
    }
    const option = path.reduce<OptionSchema | undefined>(child, root) ?? {};
    const read = readValue(value, option);
    if (read === undefined) {
      const shown = option.secret ? 'not right' : JSON.stringify(value.slice(0, 60));
      problems.push({ path: name, problem: `is ${shown}`, cure: wanted(option) });
    } else if (!put(tree, path, read.value)) {
      problems.push({ path: name, problem: 'lies within what is no group of options', cure: 'correct the file' });
    }
  }
  return problems;
}

function findPath(name: string, root: OptionSchema): string[] | undefined {
  const path: string[] = [];
  let option: OptionSchema | undefined = root;
  for (const part of name.split('__')) {
    const key = Object.keys(option?.properties ?? {}).find((candidate) => variablePart(candidate) === part);
    if (key === undefined) return undefined;
    path.push(key);
    option = child(option, key);
  }
  return path;
}

function unknownVariable(name: string, root: OptionSchema): Problem {
  const guess = nearest(name, variables(root, []));
  return {
    path: name,
    problem: 'names no option',
    cure: guess === undefined ? 'unset it; two underscores stand between group and option' : `did you mean ${guess}?`,
  };
}

function variables(option: OptionSchema, path: readonly string[]): string[] {
  if (!option.properties) return [variableOf(path)];
  return Object.entries(option.properties).flatMap(([key, value]) => variables(value, [...path, key]));
}

/** A variable's text as the value that the option takes: lists by commas or as JSON, groups as JSON. */
function readValue(text: string, option: OptionSchema): { value: unknown } | undefined {
  switch (option.type) {
    case 'boolean':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : undefined;
    case 'integer':
    case 'number':
      return /^-?\d{1,16}$/.test(text.trim()) ? { value: Number(text) } : undefined;
    case 'array':
      if (text.trim().startsWith('[')) return readJson(text);
      return { value: text.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()])) };
    case 'object':
      if (text === 'true' || text === 'false') return { value: text === 'true' };
      return readJson(text);
    default:
      return { value: text };
  }
}

function readJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
