// Breaks nodes, Redis and the network under clients, again and again, and holds what was heard against what was said:
//
//     npm run chaos -- [--minutes 1] [--seed N] [--clients 100] [--nodes 3]
//
// prints one line of JSON, and fails where anything that was acknowledged was lost, doubled or reordered. With --help it
// says what else it can do.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ChaosRun, chaosRun, chaosUsage } from './chaos-options.ts';

function run({ file, env }: ChaosRun): void {
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', file], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

try {
  const wanted = chaosRun(process.argv.slice(2));
  if (wanted === undefined) process.stdout.write(`${chaosUsage}\n`);
  else run(wanted);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${chaosUsage}\n`);
  process.exitCode = 2;
}
