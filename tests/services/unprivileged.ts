import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, missingMessage, testNeeds } from '../../scripts/test-services.ts';

/** Debian's nobody and nogroup, for tests that root runs. */
const NOBODY = 65_534;

/** The program of something that the tests need, or an error that says how to get it. */
export function programOf(need: string, program = need): string {
  const found = findProgram(program);
  if (found !== undefined) return found;
  throw new Error(
    missingMessage(
      testNeeds.filter(({ name }) => name === need),
      `${program} is not installed`,
    ),
  );
}

/** Where root runs the tests, everything in a folder is to belong to the one who runs the server. */
export function giveAway(folder: string): void {
  if (process.getuid?.() !== 0) return;
  for (const name of ['', ...(readdirSync(folder, { recursive: true }) as string[])]) {
    chownSync(join(folder, name), NOBODY, NOBODY);
  }
  chmodSync(folder, 0o755); // tests read the certificates
}

/** Starts a program without privileges, which ends with this process, whatever ends that. */
export function spawnUnprivileged(program: string, words: readonly string[], options: SpawnOptions): ChildProcess {
  const setpriv = findProgram('setpriv');
  if (setpriv === undefined) return spawn(program, words, options);
  const nobody = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  // Linux ends the server with the thread that started it, even one that is terminated and hears no `exit`.
  const before = ['--pdeathsig', 'KILL', ...(process.getuid?.() === 0 ? nobody : [])];
  return spawn(setpriv, [...before, program, ...words], options);
}
