#!/usr/bin/env node
// `npx parley …`: the parley command on a Node.js that is new enough, whatever this one is.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bootstrap, fail } from './bootstrap.mjs';

const cli = fileURLToPath(new URL('../packages/cli/src/parley.ts', import.meta.url));
const node = await bootstrap({ quiet: true }).catch(fail);
const child = spawn(node, ['--disable-proto=delete', cli, ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
  process.on(signal, () => {
    // Ctrl-C at a terminal reaches both processes by itself.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('error', fail);
child.on('exit', (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else process.exitCode = code;
});
