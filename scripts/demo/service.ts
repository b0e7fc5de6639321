import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram } from '../test-services.ts';

/** How a part of the demonstration is started. */
export interface Recipe {
  readonly name: string;
  readonly command: readonly [program: string, ...words: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** What it says when it works, or a question that is answered with true then. */
  readonly ready: RegExp | (() => Promise<boolean>);
}

const LAST_WORDS = 6;
const STARTS_WITHIN_MS = 60_000;
const STOPS_WITHIN_MS = 15_000;
const AGAIN_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** A process of the demonstration. What it says goes to a file; where it dies that is told, and it is started again. */
export class Service {
  readonly recipe: Recipe;
  readonly #folder: string;
  readonly #tell: (line: string) => void;
  #child: ChildProcess | undefined;
  #said = '';
  #again: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(recipe: Recipe, folder: string, tell: (line: string) => void) {
    this.recipe = recipe;
    this.#folder = folder;
    this.#tell = tell;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get log(): string {
    return join(this.#folder, 'log', `${this.recipe.name}.log`);
  }

  /** Resolves when it works. Rejects, with its last words, where it does not come to that. */
  async start(): Promise<void> {
    if (this.#stopping) throw new Error(`${this.recipe.name} was told to stop.`);
    const child = this.#spawn();
    const ended = once(child, 'close').then(() => {
      throw new Error(`${this.recipe.name} does not start:\n${this.#lastWords()}`);
    });
    const late = pause(STARTS_WITHIN_MS, undefined, { ref: false }).then(() => {
      throw new Error(`${this.recipe.name} does not work after ${STARTS_WITHIN_MS / 1000} s:\n${this.#lastWords()}`);
    });
    for (const failure of [ended, late]) failure.catch(() => {});
    await Promise.race([this.#works(child), ended, late]);
    child.once('close', (code, signal) => this.#onDeath(child, signal ?? `code ${code}`));
    // It may have ended in between.
    if (!isAlive(child)) throw new Error(`${this.recipe.name} has ended again:\n${this.#lastWords()}`);
  }

  #spawn(): ChildProcess {
    const setpriv = findProgram('setpriv');
    // Linux ends it with this process, even where that is killed and can end nothing itself.
    const before = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL'];
    const [program = '', ...words] = [...before, ...this.recipe.command];
    // opened at once: who starts a service is told where that fails
    const log = createWriteStream(this.log, { fd: openSync(this.log, 'a', 0o600) });
    const child = spawn(program, words, {
      cwd: this.#folder,
      env: { ...process.env, ...this.recipe.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // Ctrl-C at the terminal is for this process, which stops the others in their order
    });
    this.#said = '';
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', (chunk) => {
        this.#said = (this.#said + chunk).slice(-10_000);
      });
      output.pipe(log, { end: false });
    }
    child.once('error', (error) => {
      this.#said += error.message;
    });
    child.once('close', () => log.end());
    this.#child = child;
    const pidFile = join(this.#folder, `${this.recipe.name}.pid`);
    if (child.pid !== undefined) writeFileSync(pidFile, String(child.pid));
    child.once('close', () => rmSync(pidFile, { force: true }));
    return child;
  }

  async #works(child: ChildProcess): Promise<void> {
    const { ready } = this.recipe;
    while (isAlive(child)) {
      if (ready instanceof RegExp ? ready.test(this.#said) : await ready()) return;
      await pause(LOOK_EVERY_MS);
    }
    await new Promise(() => {}); // how it ended is told by whoever started it
  }

  #onDeath(child: ChildProcess, how: string): void {
    if (this.#stopping || child !== this.#child) return;
    this.#tell(
      `${this.recipe.name} (process ${child.pid}) has ended: ${how}. It starts again in ${AGAIN_AFTER_MS / 1000} s.`,
    );
    if (how !== 'SIGKILL' && how !== 'SIGTERM') this.#tell(this.#lastWords());
    this.#again = setTimeout(() => void this.#restart(), AGAIN_AFTER_MS);
  }

  async #restart(): Promise<void> {
    try {
      await this.start();
      this.#tell(`${this.recipe.name} is back, as process ${this.pid}.`);
    } catch (error) {
      if (this.#stopping) return;
      await this.#kill('SIGKILL');
      this.#tell(`${(error as Error).message}\nIt is tried again in ${AGAIN_AFTER_MS / 1000} s.`);
      this.#again = setTimeout(() => void this.#restart(), AGAIN_AFTER_MS);
    }
  }

  #lastWords(): string {
    const lines = this.#said.trimEnd().split('\n').slice(-LAST_WORDS);
    return [...lines.map((line) => `  | ${line.slice(0, 300)}`), `  (all of it: ${this.log})`].join('\n');
  }

  /** Ends it in good order, or by force where that takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#again);
    const force = setTimeout(() => void this.#kill('SIGKILL'), STOPS_WITHIN_MS);
    await this.#kill('SIGTERM');
    clearTimeout(force);
  }

  async #kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || !isAlive(child)) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  /** At once, and without waiting. */
  kill(): void {
    this.#stopping = true;
    this.#child?.kill('SIGKILL');
  }
}

const isAlive = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;
