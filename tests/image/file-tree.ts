import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '../../scripts/test-services.ts';

/** What the machine lends to every tree: its programs and libraries. */
const SYSTEM = ['bin', 'sbin', 'lib', 'lib64', 'libexec', 'share'].map((name) => `/usr/${name}`).filter(existsSync);
/** What npm and pnpm have fetched before, below the home of whoever runs the tests. */
const CACHES = ['.npm', '.cache/pnpm', '.local/share/pnpm'].filter((name) => existsSync(join(homedir(), name)));
/** How the machine reaches the registry: where it is told, and whose certificates count there. */
const NETWORK = /^(npm_config_.*|https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_(file|dir))$/i;
const AUTHORITIES = ['/etc/ssl'].filter(existsSync);
const NETWORK_FILES = [process.env.NODE_EXTRA_CA_CERTS, process.env.SSL_CERT_FILE, '/usr/etc/npmrc', '/etc/npmrc']
  .filter((path): path is string => path !== undefined && existsSync(path) && !path.startsWith('/etc/ssl/'))
  .concat('/etc/resolv.conf', '/etc/hosts');
const DEVICES = ['null', 'zero', 'random', 'urandom'];

/** Mount namespaces are for root, and not everywhere. */
const confined =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--mount', '--pid', '--fork', 'mount', '--bind', '/usr/share', '/usr/share']).status === 0;

export interface Running {
  readonly user?: string;
  readonly folder?: string;
  readonly env?: ReadonlyMap<string, string>;
  /** Nothing in it can be written but these folders. */
  readonly writable?: readonly string[];
}

/**
 * A file tree of its own, in which commands run as if there were no other: in a mount and a PID namespace, where the
 * machine's programs are lent to it. Where no namespaces are to be had, absolute paths are put below the tree instead.
 */
export class FileTree implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'parley-tree-'));
  readonly confined: boolean;
  /** Commands find the machine's npm, and what it has fetched before. */
  readonly installs: boolean;
  /** Folders of the machine that commands find, beside those of the system. */
  readonly #lent: readonly string[];

  constructor({ installs = false, namespaces = confined } = {}) {
    this.confined = namespaces;
    this.installs = installs;
    this.#lent = (installs ? [npmFolder()] : []).filter(
      (path) => !SYSTEM.some((system) => `${path}/`.startsWith(`${system}/`)),
    );
    for (const path of ['etc', 'usr/local/bin', 'opt', 'root', 'run', 'var', 'dev', 'proc', 'tmp']) this.mkdir(path);
    for (const path of this.confined ? [...SYSTEM, ...this.#lent, ...AUTHORITIES] : []) this.mkdir(path);
    for (const name of this.#caches) this.mkdir(`root/${name}`);
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, this.path(name));
    for (const name of DEVICES) writeFileSync(this.path(`dev/${name}`), '');
    for (const path of this.confined ? NETWORK_FILES : []) {
      this.mkdir(dirname(path));
      writeFileSync(this.path(path), '');
    }
    if (this.#hasSettings) writeFileSync(this.path('root/.npmrc'), '');
    writeFileSync(this.path('etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(this.path('etc/group'), 'root:x:0:\n');
    chmodSync(this.folder, 0o755);
    chmodSync(this.path('tmp'), 0o1777);
  }

  /** For trees in which something is installed. */
  get #caches(): readonly string[] {
    return this.confined && this.installs ? CACHES : [];
  }

  /** Somebody has told npm how to reach the registry. */
  get #hasSettings(): boolean {
    return this.confined && this.installs && existsSync(join(homedir(), '.npmrc'));
  }

  path(inside: string): string {
    return join(this.folder, inside);
  }

  mkdir(inside: string): string {
    mkdirSync(this.path(inside), { recursive: true });
    return this.path(inside);
  }

  /** Runs a line of the shell to its end, as root; throws what it said where it fails. */
  run(line: string, { folder = '/', env = new Map() }: Running = {}): void {
    const [program, ...words] = this.#command(['/bin/sh', '-ec', this.#below(line)], { folder });
    const { status, stdout, stderr, error } = spawnSync(program as string, words, {
      cwd: this.#cwd(folder),
      env: this.#env(env, true),
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${line}\nends with ${status}: ${error?.message ?? ''}${stdout}${stderr}`);
  }

  /** Starts a program in it, whose PID is that of the child's own child where there are namespaces. */
  spawn(words: readonly string[], running: Running = {}): ChildProcess {
    const { folder = '/', env = new Map() } = running;
    const [program, ...rest] = this.#command(words, running);
    return spawn(program as string, rest, {
      cwd: this.#cwd(folder),
      env: this.#env(env, false),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Where there are no namespaces: a path of the tree as one of the machine. */
  #below(text: string): string {
    if (this.confined) return text;
    const own = process.getuid?.() === 0 ? text : text.replaceAll(/\bchown /g, ': '); // only root may give away
    return own.replaceAll(/(?<![\w./}*])\/(?=(?:etc|opt|var|usr\/local)\b)/g, `${this.folder}/`);
  }

  #cwd(folder: string): string | undefined {
    return this.confined ? undefined : this.mkdir(folder);
  }

  #env(own: ReadonlyMap<string, string>, asRoot: boolean): NodeJS.ProcessEnv {
    const folders = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin', 'sbin', 'bin'];
    const ownFolders = folders.map((name) => (this.confined ? `/${name}` : this.path(name)));
    const path = [
      ...ownFolders,
      ...this.#lent.map((name) => join(name, 'bin')),
      ...(this.confined ? [] : ['/usr/bin', '/bin']),
    ];
    const network = Object.entries(process.env).filter(([name]) => NETWORK.test(name));
    const home = this.confined ? '/root' : homedir();
    return {
      ...(this.installs && Object.fromEntries(network)),
      ...(this.installs && { pnpm_config_store_dir: `${home}/.local/share/pnpm/store` }),
      PATH: path.join(':'),
      HOME: asRoot ? home : '/nonexistent',
      ...Object.fromEntries([...own].map(([name, value]) => [name, this.#below(value)])),
    };
  }

  /** What to start so that this is started in the tree. */
  #command(words: readonly string[], { user = '0:0', folder = '/', writable }: Running): string[] {
    const [uid = '', gid = uid] = user.split(':');
    const as = ['setpriv', '--reuid', uid, '--regid', gid, '--clear-groups', '--no-new-privs'];
    const bare = ['--bounding-set', '-all', '--inh-caps', '-all'];
    if (!this.confined) {
      const plain = words.map((word) => this.#below(word));
      return process.getuid?.() === 0 && uid !== '0' ? [...as, ...bare, ...plain] : plain;
    }
    const root = this.folder;
    const bind = (from: string, to = join(root, from), options = '') =>
      `mount ${options} --bind ${from} ${to}\nmount -o remount,bind,ro ${to} 2>/dev/null || true`;
    const script = [
      `mount --bind ${root} ${root}`, // so that it is a mount, which may be read-only
      ...[...SYSTEM, ...this.#lent, ...AUTHORITIES, ...NETWORK_FILES].map((path) => bind(path)),
      ...DEVICES.map((name) => `mount --bind /dev/${name} ${root}/dev/${name}`),
      ...this.#caches.map((name) => `mount --bind ${homedir()}/${name} ${root}/root/${name}`),
      ...(this.#hasSettings ? [bind(`${homedir()}/.npmrc`, `${root}/root/.npmrc`)] : []),
      `mount -t proc proc ${root}/proc`,
      ...(writable ?? []).map((path) => `mount --bind ${root}${path} ${root}${path}`),
      ...(writable === undefined ? [] : [`mount -o remount,bind,ro ${root}`]),
      `cd ${root}${folder}`,
      `exec chroot ${root} sh -c 'cd "$0"; exec "$@"' ${folder} "$@"`,
    ];
    const privileges = uid === '0' ? [] : [...as, ...bare, '--'];
    const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
    return ['unshare', ...namespaces, '--', 'sh', '-ec', script.join('\n'), 'sh', ...privileges, ...words];
  }

  [Symbol.dispose](): void {
    // mounts are gone with the namespaces that had them; what is left are empty folders
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Where this machine's npm is installed, with a Node.js beside it. */
function npmFolder(): string {
  const npm = findProgram('npm');
  if (npm === undefined)
    throw new Error('npm was not found. It comes with Node.js; Debian has it apart: apt-get install npm');
  return dirname(dirname(npm));
}
