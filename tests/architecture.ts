// The rules of docs/architecture.md that a program can check. Each message names the file, the rule and the cure.
import { dirname, join } from 'node:path/posix';

/** Which packages a package may import. */
const packages: Record<string, string[]> = {
  xmpp: [],
  metrics: [],
  opentelemetry: ['metrics'],
  keyspace: [],
  server: ['xmpp', 'metrics', 'opentelemetry', 'keyspace'],
  'snmp-agent': ['metrics', 'keyspace'],
  cli: ['xmpp', 'metrics', 'keyspace', 'server', 'snmp-agent'],
};

/** Inside the server, imports point down this list: from a later line to an earlier one. */
const serverOrder = [
  ['config', 'pipeline', 'events', 'log-events', 'auth/authenticator', 'tracing'], // and every file beside them that is not named below
  ['net'],
  ['audit'],
  ['stream'],
  ['session'],
  ['iq', 'hooks'],
  ['cluster'],
  ['routing'],
  ['auth', 's2s', 'components'],
  ['module'],
  ['admin'],
  ['im'],
  ['xeps'],
  ['data'],
  [
    'modules',
    'accounts',
    'certificates',
    'client-sessions',
    'login-services',
    'module-setup',
    'incoming-servers',
    'federation',
    'federation-settings',
    'stream-listeners',
    'telemetry',
    'draining',
    'failures',
    'fenced',
  ],
  ['node'],
  ['node-condition', 'journal-alarm', 'data-of-node'],
  ['ports'],
  ['main'],
];

/** Folders on one line that must not know each other; files on one line may. */
const serverFolders = ['auth', 's2s', 'components', 'im', 'xeps', 'admin'];

/** Modules that only some folders may load; their types are free. */
const reserved: [RegExp, RegExp, string][] = [
  [/^ioredis$/, /^packages\/keyspace\/src\/redis/, 'packages/keyspace/src/redis'],
  [/^node:sqlite$/, /^packages\/keyspace\//, 'packages/keyspace'],
  [/^node:(net|tls)$/, /^packages\/(server\/src\/net|snmp-agent\/src)\//, 'packages/server/src/net'],
  [/^@opentelemetry\//, /^packages\/opentelemetry\//, 'packages/opentelemetry'],
  [/^node:ffi$/, /^packages\/server\/src\/auth\/kerberos\/gssapi\.ts$/, 'packages/server/src/auth/kerberos/gssapi.ts'],
  [/^saxes$/, /^packages\/xmpp\//, 'packages/xmpp'],
  [/^ldapts$/, /^packages\/server\/src\/auth\/ldap\//, 'packages/server/src/auth/ldap'],
];

/** Where a filter that an operator has written as text is read. */
const CONFIGURED_FILTER = 'packages/server/src/auth/ldap/configured-filter.ts';
/** `(uid=${name})`: a name could go on with a filter of its own. */
const FILTER_OF_TEXT = /`[^`]*\([^`()]*[~<>:]?=[^`()]*\$\{/;

const importing = [
  /^\s*(?:import|export)\s[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
];

/** What a file imports, by name. Types are imports too, except where only what is loaded counts. */
export function importsOf(text: string, loaded = false): string[] {
  const matches = importing.flatMap((form) => [...text.matchAll(form)]);
  return matches
    .filter((match) => !loaded || !/^\s*(?:import|export) type\b/.test(match[0]))
    .map((match) => match[1] ?? '');
}

/** `@parley/xmpp/jid` and `./jid.ts` as a path in the repository; undefined for what comes from elsewhere. */
function resolve(file: string, specifier: string): string | undefined {
  const own = /^@parley\/([^/]+)\/(.+)$/.exec(specifier);
  if (own) return `packages/${own[1]}/src/${own[2]}.ts`;
  return specifier.startsWith('.') ? join(dirname(file), specifier) : undefined;
}

/** Tests may import everything, and so may what only tests use. */
const isTest = (file: string, text: string) =>
  /\.test\.ts$|^tests\//.test(file) || importsOf(text).some((name) => name === 'vitest' || name === 'fast-check');

/** The place of a file in the order: its folder, or its name; a file that is not listed belongs to the first line. */
function serverArea(path: string): string {
  const inside = path.replace(/^packages\/server\/src\//, '').replace(/\.ts$/, '');
  const [first = '', ...rest] = inside.split('/');
  if (rest.length > 0) return inside === 'auth/authenticator' ? inside : first;
  return serverOrder.some((areas) => areas.includes(first)) ? first : 'config';
}

function arrowInServer(file: string, target: string): string | undefined {
  const [from, to] = [serverArea(file), serverArea(target)];
  if (from === to) return undefined;
  const level = (area: string) => serverOrder.findIndex((areas) => areas.includes(area));
  const unplaced = [from, to].find((area) => level(area) < 0);
  if (unplaced) return `${unplaced} has no place in the server's order. Give it one in tests/architecture.ts`;
  const oneByOne = (area: string) => serverFolders.includes(area);
  if (level(to) < level(from) || (level(to) === level(from) && !oneByOne(from))) return undefined;
  const how = level(to) === level(from) ? 'siblings never import each other' : 'imports only point down';
  return `imports ${target}, but ${how}: let node.ts hand in a function, or move what both need further down`;
}

function arrow(file: string, target: string): string | undefined {
  const home = file.split('/')[1] ?? '';
  const other = target.split('/')[1] ?? '';
  if (!target.startsWith('packages/')) return `imports ${target}: packages import nothing outside of packages/`;
  if (home !== other) {
    if (packages[home]?.includes(other)) return undefined;
    return `imports ${target}, but ${home} may import only: ${packages[home]?.join(', ') || 'no package'}`;
  }
  if (home !== 'server') return undefined;
  const xep = /\/xeps\/(\d{4}[^/.]*)/.exec(file)?.[1];
  if (xep && target.includes('/xeps/') && !target.includes(`/xeps/${xep}`)) {
    return `imports ${target}, but a XEP never imports another: move what both need down, or use a hook`;
  }
  return arrowInServer(file, target);
}

function checkFilters(file: string, text: string): string[] {
  if (!file.startsWith('packages/server/src/auth/ldap/') || isTest(file, text)) return [];
  const parses = /\bFilterParser\b|\bescapeFilter\b/.test(text) && file !== CONFIGURED_FILTER;
  if (!parses && !FILTER_OF_TEXT.test(text)) return [];
  return [`${file}: makes a filter of text. Make it of filter objects (EqualityFilter …), which need no escaping.`];
}

function checkImports(file: string, text: string, dependencies: Map<string, string[]>): string[] {
  const home = file.split('/')[1] ?? '';
  const loaded = importsOf(text, true);
  return importsOf(text).flatMap((specifier) => {
    const target = resolve(file, specifier);
    const wrong = target && arrow(file, target);
    if (wrong) return [`${file}: ${wrong}.`];
    const rule =
      loaded.includes(specifier) && reserved.find(([module, where]) => module.test(specifier) && !where.test(file));
    if (rule) return [`${file}: imports ${specifier}, which only ${rule[2]} may. Use what that folder offers.`];
    const external = /^(?:@[^/]+\/)?[^/.][^/]*/.exec(specifier)?.[0];
    if (!external || specifier.startsWith('node:') || dependencies.get(home)?.includes(external)) return [];
    return [`${file}: imports ${external}, which packages/${home}/package.json does not list. Add it there.`];
  });
}

function checkText(file: string, text: string): string[] {
  const wrong: string[] = [];
  const lines = text.split('\n').length - 1;
  if (lines > 400) wrong.push(`${file}: ${lines} lines, more than 400. Split it by concept.`);
  const mark =
    /\b(?:TO[D]O|FIX[M]E|X[X]X)\b|\b(?:test|it|describe|suite)\.(?:skip|skipIf|runIf|only|todo|fails)\b/.exec(text);
  if (mark) wrong.push(`${file}: ${mark[0]} is left in it. Do it now, or delete it.`);
  const name = /(?:^|[/-])(?:managers?|helpers?|utils?|types|index)\.ts$/.exec(file);
  if (name) wrong.push(`${file}: the name says nothing. Name the file after the one concept that it holds.`);
  else if (!/^[a-z0-9./-]+$/.test(file)) wrong.push(`${file}: file names are in kebab-case. Rename it.`);
  if (!/\.test\.ts$/.test(file) && /(?:const|let)\s+\w+: Record<string,[^=\n]*>\s*=\s*\{\s*\}/.test(text)) {
    wrong.push(`${file}: a plain object with keys from outside. Use a Map, or Object.create(null).`);
  }
  return wrong;
}

function checkCycles(graph: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      cycles.push(`${[...path.slice(start), file].join(' → ')}: a cycle. Move what both need into a file of its own.`);
    } else if (!done.has(file)) {
      for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    }
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
}

/** `sources`: the text of every TypeScript file by path; `dependencies`: what each package's package.json lists. */
export function violations(sources: Map<string, string>, dependencies: Map<string, string[]>): string[] {
  const wrong: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of sources) {
    wrong.push(...checkText(file, text));
    if (!file.startsWith('packages/') || isTest(file, text)) continue;
    wrong.push(...checkImports(file, text, dependencies));
    wrong.push(...checkFilters(file, text));
    graph.set(
      file,
      importsOf(text, true).flatMap((specifier) => resolve(file, specifier) ?? []),
    );
    const needsTest = /^packages\/server\/src\/(?:im|xeps)\/./.test(file);
    if (needsTest && !sources.has(file.replace(/\.ts$/, '.test.ts'))) {
      wrong.push(`${file}: has no test beside it. Write ${file.replace(/\.ts$/, '.test.ts')}.`);
    }
  }
  return [...wrong, ...checkCycles(graph)];
}
