// What a program can check of the documents that people write. Each message names the document and what is wrong.
import { dirname, join } from 'node:path/posix';

export interface Repository {
  /** Documents by their path in the repository. */
  readonly documents: ReadonlyMap<string, string>;
  /** Every file with code in it. */
  readonly files: readonly string[];
  /** Names in `scripts` of package.json. */
  readonly scripts: readonly string[];
  /** Whether there is such a file or folder in the repository. */
  exists(path: string): boolean;
  /** Whether it is the name of an option, a metric or an event. */
  means(name: string): boolean;
}

/** A block of code in a document: its language and its text. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

export const blocksOf = (text: string): Block[] =>
  Array.from(text.matchAll(FENCE), ([, language = '', code = '']) => ({ language, text: code }));

/** What is said outside of blocks of code. */
const prose = (text: string) => text.replace(FENCE, '').replace(/^ {4}.*$/gm, '');

const withoutCode = (text: string) => prose(text).replace(/`[^`\n]*`/g, '');

/** A heading as links name it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (text: string) =>
  Array.from(prose(text).matchAll(/^#+ (.*)$/gm), ([, heading = '']) => anchorOf(heading));

function deadLinks(path: string, text: string, { documents, exists }: Repository): string[] {
  return Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)).flatMap(([, target = '']) => {
    if (/^(https?|mailto):/.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const there = file === '' ? path : join(dirname(path), file);
    if (!exists(there)) return [`${path}: the link to ${target} leads nowhere.`];
    const linked = documents.get(there);
    if (anchor === undefined || linked === undefined || anchorsOf(linked).includes(anchor)) return [];
    return [`${path}: ${there} has no heading for #${anchor}.`];
  });
}

function deadCommands(path: string, text: string, { scripts }: Repository): string[] {
  return Array.from(text.matchAll(/\bnpm (?:run (?:--?\w+ )*([\w:-]+)|(start|test)\b)/g))
    .map(([, run, short]) => run ?? short ?? '')
    .filter((name) => !scripts.includes(name))
    .map((name) => `${path}: package.json has no script ${name}.`);
}

/** What stands between backticks and is a file of the project, by its ending; the folder may be left out. */
const FILE = /^(?:[\w.-]+\/)*[\w.-]+\.(?:ts|mjs|lua|py)$/;

const codeIn = (text: string) => Array.from(prose(text).matchAll(/`([^`\n]*)`/g), ([, code = '']) => code);

function deadFiles(path: string, text: string, { files }: Repository): string[] {
  return codeIn(text)
    .filter((code) => FILE.test(code) && !/NUMBER/.test(code))
    .filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))
    .map((name) => `${path}: there is no file ${name}.`);
}

/** Documents for operators: what has dots in it between backticks is an option, a metric or an event. */
const FOR_OPERATORS = new Set([
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'docs/operations.md',
  'docs/directory.md',
  'docs/federation.md',
  'docs/components.md',
  'docs/concepts.md',
  'docs/capacity.md',
  'docs/security.md',
  'docs/troubleshooting.md',
  'docs/upgrade.md',
  'docs/evaluation.md',
  'docs/data.md',
  'docs/monitoring.md',
  'docs/authentication.md',
  'docs/reliability.md',
  'docs/performance.md',
]);

function deadNames(path: string, text: string, { means }: Repository): string[] {
  if (!FOR_OPERATORS.has(path)) return [];
  const dotted = /^[a-z][\w-]*(?:\[\])?(?:\.[\w-]+(?:\[\])?)+$/;
  const file = /\.(?:ts|mjs|md|yaml|conf|sqlite|sqlite-wal|crt|key|sock|org|example|lock|rdb)$/;
  const metrics = text.match(/\b(?:xmpp|parley)_[a-z_]+/g) ?? [];
  return [...codeIn(text).filter((code) => dotted.test(code) && !file.test(code)), ...metrics]
    .filter((name) => !means(name))
    .map((name) => `${path}: nothing is called ${name}.`);
}

/** Everything that is wrong in the documents. */
export function mistakes(repository: Repository): string[] {
  const found = [...repository.documents].flatMap(([path, text]) => [
    ...deadLinks(path, text, repository),
    ...deadCommands(path, text, repository),
    ...deadFiles(path, text, repository),
    ...deadNames(path, text, repository),
  ]);
  const index = repository.documents.get('docs/README.md') ?? '';
  const unlisted = [...repository.documents.keys()]
    .filter((path) => path.startsWith('docs/') && path !== 'docs/README.md')
    .filter((path) => !index.includes(`](${path.slice('docs/'.length)})`));
  return [...found, ...unlisted.map((path) => `docs/README.md: does not list ${path}.`)];
}
