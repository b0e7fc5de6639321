import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type Ports, portsAt, taken } from '../../scripts/demo/ports.ts';
import { inTime } from '../support/in-time.ts';
import { type Finished, run } from '../support/process.ts';
import { UNHURRIED } from '../support/unhurried.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** So much higher than usual that all ports are free, and below those that the system hands out by itself. */
export async function freeOffset(): Promise<number> {
  for (;;) {
    const offset = randomInt(11_000, 23_000);
    if ((await taken(portsAt(offset))).length === 0) return offset;
  }
}

/** What `npm run demo` starts, in a process of its own. It ends with the test. */
export class Demonstration {
  readonly ports: Ports;
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #said = '';
  #onMore: () => void = () => {};

  constructor(folder: string, offset: number) {
    this.ports = portsAt(offset);
    const words = ['scripts/demo.ts', '--folder', folder, '--port-offset', String(offset)];
    this.#child = spawn(process.execPath, words, {
      cwd: root,
      env: { ...process.env, ...UNHURRIED },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      output?.setEncoding('utf8').on('data', (chunk) => {
        this.#said += chunk;
        this.#onMore();
      });
    }
    this.exited = new Promise((resolve) => this.#child.once('close', resolve));
    void this.exited.then(() => this.#onMore());
    onTestFinished(async () => {
      this.signal('SIGKILL');
      await this.exited;
    });
  }

  /** Everything that it said, on both outputs. */
  get said(): string {
    return this.#said;
  }

  /** Resolves when it has said so. */
  async says(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.#said);
      if (found !== null) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`It has ended, and not said ${what}:\n${this.#said}`);
      }
      const more = new Promise<void>((resolve) => {
        this.#onMore = resolve;
      });
      await inTime(more, () => `It does not say ${what}. It has said:\n${this.#said}`);
    }
  }

  ready(): Promise<unknown> {
    return this.says(/^The demonstration is ready, after \d+ s\.$[\s\S]*^Logs are in /m);
  }

  /** The commands that it shows below a title. */
  commands(title: RegExp): string[] {
    const parts = this.#said.split('\n\n').map((part) => part.split('\n'));
    const [, ...commands] = parts.find(([first = '']) => title.test(first)) ?? [];
    if (commands.length === 0) throw new Error(`It shows nothing to try for ${title}.`);
    return commands.map((line) => line.trim());
  }

  /** The processes of its parts, as it has told them. */
  get pids(): number[] {
    return Array.from(this.#said.matchAll(/^ {2}\w+ +process (\d+)$/gm), ([, pid]) => Number(pid));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Has a shell do it, as somebody does who copies the command; npx is this Node.js. */
export async function shell(command: string): Promise<Finished> {
  const npx = `npx() { shift; '${process.execPath}' packages/cli/src/parley.ts "$@"; }`;
  return run('sh', ['-ec', `${npx}\n${command}`], { cwd: root });
}

/** Whether there is such a process, and it has not ended. */
export function runs(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
}
