import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { PATIENCE } from './in-time.ts';

/** Stops a process, and resolves when none of its threads runs any more: the signal alone comes when it comes. */
export async function standStill(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const begun = performance.now();
  for (let states = threadStates(pid); !states.every((state) => state === 'T'); states = threadStates(pid)) {
    if (performance.now() - begun > PATIENCE)
      throw new Error(`Process ${pid} does not stand still: ${states.join(' ')}`);
    await pause(1);
  }
}

/** As proc(5) has them: `T` is stopped. */
const threadStates = (pid: number) =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return stat.charAt(stat.lastIndexOf(')') + 2); // the name before it may have anything in it
    } catch {
      return []; // it has ended meanwhile
    }
  });
