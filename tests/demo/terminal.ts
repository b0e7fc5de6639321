import { type ChildProcess, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';

/** A program in the foreground of a terminal of its own. It ends with the test. */
export class Terminal {
  readonly #command: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #ended = false;
  #said = '';
  #onMore: () => void = () => {};

  constructor(command: string, cwd: string, env: NodeJS.ProcessEnv) {
    this.#command = command;
    // the leader of a process group, as a job of a shell is
    this.#child = spawn('bash', ['-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      output?.setEncoding('utf8').on('data', (chunk) => {
        this.#said += chunk;
        this.#onMore();
      });
    }
    this.#closed = new Promise((resolve) =>
      this.#child.once('close', () => {
        this.#ended = true;
        this.#onMore();
        resolve();
      }),
    );
    onTestFinished(async () => {
      this.#signal('SIGTERM');
      await this.#closed;
    });
  }

  /** Resolves when it has shown this text. */
  async shows(text: string): Promise<void> {
    while (!this.#said.includes(text)) {
      if (this.#ended) throw new Error(`${this.#command} has ended, and not shown ${text}:\n${this.#said}`);
      await new Promise<void>((resolve) => {
        this.#onMore = resolve;
      });
    }
  }

  /** Ctrl-C, which all processes of the foreground get; resolves when they have ended. */
  async interrupt(): Promise<void> {
    this.#signal('SIGINT');
    await this.#closed;
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid !== undefined && !this.#ended) process.kill(-pid, signal);
  }
}
