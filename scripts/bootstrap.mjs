// Makes a fresh clone ready to run: fetches Node.js 26 and the libraries that the lockfile names, once.
// Plain JavaScript without dependencies, because it runs before anything is installed and on an older Node.js.
//
//     node scripts/bootstrap.mjs [--development] [--quiet]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bundledNode = join(root, 'node_modules/.bin/node');
const stampFile = join(root, 'node_modules/.parley-installed.json');
/** The least Node.js that runs TypeScript files as they are. */
const leastNode = 24;

class BootstrapError extends Error {}

/** A hash of everything that decides what node_modules should hold on this machine. */
function wanted() {
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'];
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    if (existsSync(join(root, 'packages', name, 'package.json'))) files.push(`packages/${name}/package.json`);
  }
  const hash = createHash('sha256').update(`${root}\0${process.platform}-${process.arch}`);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function installed() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return undefined; // Nothing installed yet, or an interrupted installation: install.
  }
}

function majorOf(node) {
  const { stdout, stderr, status } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (status === 0) return Number.parseInt(stdout.slice(1), 10);
  process.stderr.write(stderr ?? ''); // a library that it needs is missing, say
  return 0;
}

/** Node.js 26 is linked against a library that bare machines lack. */
const lacksLibatomic = () =>
  spawnSync(bundledNode, ['--version'], { encoding: 'utf8' }).stderr?.includes('libatomic') ?? false;

/** Tests install what they need. */
function provideLibatomic() {
  if (!lacksLibatomic() || process.getuid() !== 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'libatomic1']]) {
    spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 2, 2] });
  }
}

/** How to call the pnpm that the project names, without installing it on the machine. */
function pnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version = packageManager.slice('pnpm@'.length);
  const own = spawnSync('pnpm', ['--version'], { encoding: 'utf8', cwd: '/' });
  if (own.status === 0 && own.stdout.trim() === version) return ['pnpm'];
  if (spawnSync('npm', ['--version'], { stdio: 'ignore' }).status !== 0) {
    throw new BootstrapError(
      'npm was not found. It comes with Node.js from nodejs.org; Debian has it apart: apt-get install npm',
    );
  }
  return ['npm', 'exec', '--yes', '--', packageManager];
}

/** Runs a command. Of what it says only the progress is shown; the rest matters when it fails. */
function run([command, ...args], quiet) {
  const patience = { npm_config_fetch_retry_mintimeout: '1000', npm_config_fetch_retry_maxtimeout: '5000' };
  const env = { ...patience, npm_config_update_notifier: 'false', ...process.env };
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (chunk) => {
    said = (said + chunk).slice(-20_000);
    const progress = String(chunk).match(/^(Progress|Downloading).*/gm);
    if (progress && !quiet) process.stderr.write(progress.map((line) => `  ${line}\n`).join(''));
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, said }));
  });
}

function explain(said) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|dns error|error sending request/i.test(said)) {
    return 'The npm registry cannot be reached. Check the network, or the proxy: npm config set https-proxy http://…';
  }
  if (/CERT_|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|certificate/i.test(said)) {
    return "The npm registry's certificate is not trusted here. Behind a proxy that inspects TLS: npm config set cafile FILE";
  }
  if (/ENOSPC|no space left/i.test(said)) return 'The disk is full: about 500 MB are needed.';
  if (/EACCES|EPERM|EROFS|permission denied|read-only file system/i.test(said))
    return `No permission to write in ${root}. Run as the user who owns it.`;
  return 'The installation failed; the lines above say why.';
}

/** The Node.js to run Parley with: the installed one, else the machine's own where it is new enough. */
function findNode() {
  if (majorOf(bundledNode) >= leastNode) return bundledNode;
  if (Number.parseInt(process.versions.node, 10) >= leastNode) return process.execPath;
  if (lacksLibatomic()) {
    throw new BootstrapError(
      'Node.js 26 needs a library that this machine lacks. As root: apt-get install libatomic1 (Debian, Ubuntu), or ' +
        'dnf install libatomic (Fedora, RHEL). Then start again.',
    );
  }
  throw new BootstrapError(
    `No Node.js 26 is published on npm for ${process.platform} ${process.arch} or it does not run here, as on musl. ` +
      `Install Node.js ${leastNode} or newer by hand, then start again.`,
  );
}

/**
 * Installs what is missing and returns the path of the Node.js to run Parley with.
 * `development` adds what the tests and checks need; `quiet` says nothing unless it fails.
 */
export async function bootstrap({ development = false, quiet = false } = {}) {
  if (process.platform === 'win32') {
    throw new BootstrapError('Parley runs on Linux and macOS. On Windows use WSL, or a container.');
  }
  const hash = wanted();
  const before = installed();
  if (before?.hash === hash && (before.development || !development) && existsSync(before.node)) return before.node;

  // What a developer installed is never taken away again.
  const everything = development || existsSync(join(root, 'node_modules/vitest'));
  const say = (text) => quiet || process.stderr.write(`${text}\n`);
  const from = Date.now();
  say(
    before
      ? 'Bringing the installed libraries up to date …'
      : `Installing Node.js 26 and the libraries into ${join(root, 'node_modules')} (once, up to a minute) …`,
  );
  const install = [...pnpm(), 'install', '--frozen-lockfile', ...(everything ? [] : ['--prod'])];
  const { code, said } = await run(install, quiet);
  if (code !== 0) throw new BootstrapError(`${said}\n${explain(said)}`);
  if (development) provideLibatomic();
  const node = findNode();
  writeFileSync(stampFile, JSON.stringify({ hash, development: everything, node }));
  say(`Installed in ${Math.round((Date.now() - from) / 1000)} s.`);
  return node;
}

/** Prints a failure in plain words and ends with exit code 1. */
export function fail(error) {
  process.stderr.write(`\n${error instanceof BootstrapError ? error.message : error.stack}\n`);
  process.exit(1);
}

if (realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  const asked = process.argv.slice(2);
  bootstrap({ development: asked.includes('--development'), quiet: asked.includes('--quiet') }).catch(fail);
}
