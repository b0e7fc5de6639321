// Everything that must hold before a change goes in: style, types, tests. Arguments go to vitest:
//
//     node scripts/check.ts [file filter …]
//
// The last line is `N passed, N failed`, where style and types count as one check each.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Counts, countTests } from './count-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(title: string, script: string, args: string[]): boolean {
  process.stdout.write(`\n── ${title}\n`);
  const { status, error } = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) process.stdout.write(`${error.message}\n`);
  return status === 0;
}

function tests(filters: string[]): Counts {
  const folder = mkdtempSync(join(tmpdir(), 'parley-check-'));
  const report = join(folder, 'report.json');
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters];
  const passed = run('tests', 'vitest/vitest.mjs', args);
  try {
    return countTests(readFileSync(report, 'utf8'), passed);
  } catch {
    return { passed: 0, failed: 1 }; // No report: vitest itself did not come up, and has said why.
  } finally {
    rmSync(folder, { recursive: true });
  }
}

process.stdout.write(`Node.js ${process.version}\n`);
const checks = [
  run('style (biome check)', '@biomejs/biome/bin/biome', ['check', '.']),
  run('types (tsc --noEmit)', 'typescript/bin/tsc', ['--noEmit']),
];
const counts = tests(process.argv.slice(2));
const failed = counts.failed + checks.filter((ok) => !ok).length;
process.stdout.write(`\n${counts.passed + checks.filter(Boolean).length} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
