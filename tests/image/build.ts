import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/test-services.ts';
import { contextOf } from './context.ts';
import { type Instruction, pairsOf, type Stage, stagesOf } from './dockerfile.ts';
import { FileTree } from './file-tree.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const DOCKERFILE = join(ROOT, 'deploy/Dockerfile');

/** What a container begins with, beside its files. */
export interface Settings {
  readonly env: Map<string, string>;
  readonly labels: Map<string, string>;
  readonly volumes: readonly string[];
  readonly ports: readonly string[];
  readonly user: string;
  readonly folder: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly health: readonly string[];
  readonly stopSignal: string;
}

export interface Image extends Disposable {
  readonly tree: FileTree;
  readonly settings: Settings;
}

/** Lays out the image of deploy/Dockerfile, by its own commands; base images are this machine's programs. */
export function layOut(namespaces?: boolean): Image {
  using others = new DisposableStack();
  const stages = new Map<string, FileTree>();
  const context = contextOf(ROOT);
  let last: Image | undefined;
  for (const stage of stagesOf(readFileSync(DOCKERFILE, 'utf8'))) {
    const tree = new FileTree({ installs: stage.base.startsWith('node:'), namespaces });
    if (last) others.use(last.tree);
    const settings = new Building(tree, stage, stages, context).settings;
    stages.set(stage.name, tree);
    last = { tree, settings, [Symbol.dispose]: () => tree[Symbol.dispose]() };
  }
  if (last === undefined) throw new Error('There is no stage.');
  return last;
}

/** What comes from Debian is the machine's own, as the base images are: it has to be there. */
function assertInstalled(text: string): void {
  const [, packages = ''] = /\binstall((?: --[\w-]+)*(?: [\w.+-]+)+)/.exec(text) ?? [];
  const names = packages.split(' ').filter((word) => /^[\w]/.test(word));
  if (names.length === 0) throw new Error(`The tests do not understand ${text}`);
  if (findProgram('dpkg-query') === undefined) return; // another distribution has them under other names
  const { status, stderr } = spawnSync('dpkg-query', ['--show', ...names], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

class Building {
  readonly #tree: FileTree;
  readonly #stages: ReadonlyMap<string, FileTree>;
  readonly #context: readonly string[];
  readonly settings = {
    env: new Map<string, string>(),
    labels: new Map<string, string>(),
    volumes: [] as string[],
    ports: [] as string[],
    user: '0:0',
    folder: '/',
    entrypoint: [] as string[],
    command: [] as string[],
    health: [] as string[],
    stopSignal: '',
  };

  constructor(tree: FileTree, stage: Stage, stages: ReadonlyMap<string, FileTree>, context: readonly string[]) {
    this.#tree = tree;
    this.#stages = stages;
    this.#context = context;
    for (const instruction of stage.instructions) this.#follow(instruction);
  }

  #follow(instruction: Instruction): void {
    const { settings } = this;
    const { name, words, text } = instruction;
    const [first = ''] = words;
    if (name === 'RUN' && /^apt-get /.test(text)) {
      if (!this.#tree.installs) assertInstalled(text); // the machine's npm has what it needs
    } else if (name === 'RUN') this.#tree.run(text, settings);
    else if (name === 'COPY') this.#copy(instruction);
    else if (name === 'WORKDIR') {
      settings.folder = first;
      this.#tree.mkdir(first);
    } else if (name === 'USER') settings.user = first;
    else if (name === 'STOPSIGNAL') settings.stopSignal = first;
    else if (name === 'ENTRYPOINT') settings.entrypoint = [...words];
    else if (name === 'CMD') settings.command = [...words];
    else if (name === 'HEALTHCHECK') settings.health = [...words];
    else if (name === 'VOLUME') settings.volumes.push(...words);
    else if (name === 'EXPOSE') settings.ports.push(...words);
    else for (const [key, value] of pairsOf(text)) (name === 'ENV' ? settings.env : settings.labels).set(key, value);
  }

  /** Of a folder, what is in it; into a folder, where there are several or a slash is behind it. */
  #copy({ flags, words }: Instruction): void {
    const target = words.at(-1) ?? '';
    const inside = target.startsWith('/') ? target : join(this.settings.folder, target);
    const sources = words.slice(0, -1);
    const from = flags.get('from');
    for (const source of sources) {
      const into = target.endsWith('/');
      if (from !== undefined) this.#copyFrom(from, source, inside, into);
      else this.#copyContext(source, inside, into);
    }
  }

  #copyFrom(stage: string, source: string, inside: string, into: boolean): void {
    const path = this.#stages.get(stage)?.path(source);
    if (path === undefined) throw new Error(`There is no stage ${stage} before.`);
    const isFolder = statSync(path).isDirectory();
    const to = this.#tree.mkdir(isFolder || into ? inside : dirname(inside));
    // as links: stages are not kept
    const args = isFolder ? [`${path}/.`, to] : [path, into ? to : this.#tree.path(inside)];
    const { status, stderr } = spawnSync('cp', ['-a', '--link', ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }

  #copyContext(source: string, inside: string, into: boolean): void {
    const files = this.#context.filter((path) => path === source || path.startsWith(`${source}/`));
    if (files.length === 0) throw new Error(`The context has no ${source}: look at .dockerignore.`);
    for (const file of files) {
      const rest = file === source ? (into ? basename(source) : '') : file.slice(source.length + 1);
      const to = this.#tree.path(join(inside, rest));
      // with the modes that a clone has where its owner keeps files from others
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      copyFileSync(join(ROOT, file), to);
      chmodSync(to, statSync(to).mode & 0o700);
    }
  }
}
