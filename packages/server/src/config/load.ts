import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { FILE_VARIABLE, override } from './environment.ts';
import { type OptionSchema, optionSchema } from './option-schema.ts';
import { ConfigurationError, type Problem, problemsOf } from './problem.ts';
import { type Configuration, configurationSchema, type ModuleSettings } from './schema.ts';
import { type ReadText, readSecretFiles } from './secret-files.ts';
import { isTree, plant, type Tree } from './tree.ts';

export interface LoadOptions {
  /** The YAML or JSON file; without one, what `PARLEY_CONFIG` names, else none: the defaults. */
  file?: string | undefined;
  /** Where overrides are looked for. */
  env?: Readonly<Record<string, string | undefined>>;
  modules?: readonly ModuleSettings[];
  /** Where relative paths start when there is no file; with a file they start at its directory. */
  directory?: string;
  /** How the files of secrets are read. */
  readSecret?: ReadText | undefined;
}

const MOST_FILE_BYTES = 1_048_576;
// One forgotten bracket can make thousands.
const MOST_SYNTAX_PROBLEMS = 20;

/** Reads, completes and checks the configuration. Throws a ConfigurationError with all problems at once. */
export function loadConfiguration({
  file,
  env = process.env,
  modules = [],
  directory = process.cwd(),
  readSecret,
}: LoadOptions = {}): Configuration {
  const name = file ?? env[FILE_VARIABLE];
  const tree: Tree = name === undefined ? Object.create(null) : readTree(name);
  const base = name === undefined ? directory : dirname(resolve(name));
  const options = optionSchema(modules);
  const problems = [...override(tree, env, options), ...readSecretFiles(tree, options, base, readSecret)];
  const result = configurationSchema(modules).safeParse(tree);
  if (!result.success) problems.push(...problemsOf(result.error.issues, tree, options));
  if (problems.length > 0 || !result.success) throw new ConfigurationError(problems);
  resolvePaths(result.data, options, base);
  const { keyspace } = result.data;
  keyspace.url = keyspace.url.replace(/^embedded:(.+)$/s, (_, data) => `embedded:${resolve(base, data)}`);
  return result.data;
}

function readTree(file: string): Tree {
  const value = parseText(readText(file), file);
  if (value === null || value === undefined) return Object.create(null);
  const tree = plant(value);
  if (!isTree(tree)) fail(file, 'holds no group of options', 'write `name: value` lines');
  return tree;
}

function readText(file: string): string {
  try {
    if (statSync(file).size > MOST_FILE_BYTES) fail(file, 'is larger than 1 MiB', 'name the configuration file');
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const cure = code === 'ENOENT' ? 'name a file that exists' : 'name a file that the node may read';
    return fail(file, `cannot be read (${code})`, cure);
  }
}

/** YAML 1.2, of which JSON is a part. */
function parseText(text: string, file: string): unknown {
  try {
    const document = parseDocument(text, { prettyErrors: true, stringKeys: true });
    const faults = [...document.errors, ...document.warnings].slice(0, MOST_SYNTAX_PROBLEMS);
    if (faults.length > 0) {
      throw new ConfigurationError(faults.map((fault) => syntaxProblem(file, fault.message)));
    }
    // An alias that stands for others a hundred times over is an attack on memory, not a configuration.
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    // Also a RangeError from brackets nested without end.
    return fail(file, `cannot be understood (${(error as Error).message})`, 'correct it');
  }
}

const syntaxProblem = (file: string, message: string): Problem => ({
  path: file,
  problem: `is not valid YAML (${message.replaceAll(/:?\s*\n[\s\S]*$/g, '')})`,
  cure: 'correct that line',
});

function fail(path: string, problem: string, cure: string): never {
  throw new ConfigurationError([{ path, problem, cure }]);
}

/** Makes the paths of files absolute, in place. */
function resolvePaths(value: unknown, option: OptionSchema | undefined, base: string): void {
  if (Array.isArray(value)) {
    for (const entry of value) resolvePaths(entry, option?.items, base);
    return;
  }
  if (!isTree(value)) return;
  for (const [key, entry] of Object.entries(option?.properties ?? {})) {
    const current = value[key];
    if (typeof current !== 'string') resolvePaths(current, entry, base);
    else if (entry.path) value[key] = resolve(base, current);
  }
}
