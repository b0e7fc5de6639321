import { readFileSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/** How far an export has come. It stands beside the export, since what is in there may look like the end of an account. */
export interface PartMark {
  /** What is exported. */
  readonly of: string;
  /** When it was begun. */
  readonly begun: string;
  /** Who writes it, and when that began: numbers of processes come again, above all after the machine was started anew. */
  readonly process: number;
  readonly processBegun?: string | undefined;
  /** From where; undefined while that has not been said. */
  readonly server?: string | undefined;
  /** So much of it is on the disk and good: so many accounts, of which this is the last one. */
  readonly bytes: number;
  readonly accounts: number;
  readonly last?: string | undefined;
}

/** Undefined where there is none that can be read. */
export async function readMark(file: string): Promise<PartMark | undefined> {
  try {
    const mark = JSON.parse(await readFile(file, 'utf8')) as Partial<PartMark> | null;
    const { of, begun, process, bytes, accounts, last, server } = mark ?? {};
    const texts = [of, begun, ...(last === undefined ? [] : [last, server])];
    const numbers = [process, bytes, accounts];
    const good = texts.every((each) => typeof each === 'string') && numbers.every((each) => Number.isSafeInteger(each));
    return good ? (mark as PartMark) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** At once, so that it is never there by half. */
export async function writeMark(file: string, mark: PartMark): Promise<void> {
  const next = `${file}.new`;
  await rm(next, { force: true });
  await writeFile(next, `${JSON.stringify(mark)}\n`, { mode: 0o600, flag: 'wx', flush: true });
  await rename(next, file);
}

/** This process, as a mark names it. */
export const thisProcess = (): Pick<PartMark, 'process' | 'processBegun'> => ({
  process: process.pid,
  processBegun: beginOf(process.pid),
});

/** Whether the process that wrote the mark still runs, and is another one than this. */
export function isBeingWritten({ process: id, processBegun }: PartMark): boolean {
  if (id === process.pid) return false;
  try {
    process.kill(id, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false; // EPERM: somebody else's
  }
  const begun = beginOf(id);
  return processBegun === undefined || begun === undefined || begun === processBegun;
}

/** When a process began, by the clock of the kernel; undefined where that cannot be told, as on other systems than Linux. */
function beginOf(id: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
