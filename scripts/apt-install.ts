import { spawn } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const policyFile = '/usr/sbin/policy-rc.d';
const policyBefore = `${policyFile}.before-parley`;

/**
 * Installs Debian packages as root, without starting their daemons: tests start what they need themselves, on ports
 * of their own. Returns what went wrong, in words, or undefined.
 */
export async function aptInstall(packages: string[]): Promise<string | undefined> {
  // Debian's own way of asking whether a daemon may start; 101 says no.
  if (existsSync(policyFile) && !existsSync(policyBefore)) renameSync(policyFile, policyBefore);
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const restore = () => {
    rmSync(policyFile, { force: true });
    if (existsSync(policyBefore)) renameSync(policyBefore, policyFile);
  };
  process.once('exit', restore);
  // apt-get gets Ctrl-C from the terminal too; this process stays until apt-get has ended, then restores.
  const wait = () => {};
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, wait);
  try {
    // The lists may be empty (a fresh image) or older than the mirror: fetch them. Stale ones may still do.
    await apt(['update']);
    const code = await apt(['install', '--yes', '--no-install-recommends', ...packages]);
    return code === 0 ? undefined : `apt-get ended with code ${code} (its messages are above)`;
  } finally {
    restore();
    process.off('exit', restore);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, wait);
  }
}

function apt(args: string[]): Promise<number | null> {
  const child = spawn('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 2, 2],
  });
  return new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
}
