import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./bench-server.ts', import.meta.url));

/** How long nodes may take to end in order, in milliseconds. */
const PATIENCE = 15_000;

export interface BenchNodesOptions {
  /** Of the first node. */
  readonly port: number;
  readonly nodes: number;
  /** Of the Redis that they share. */
  readonly url: string;
  readonly folder: string;
}

/** Processes of one node each; they end together. */
export class BenchNodes implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];

  constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  get pids(): number[] {
    return this.#children.map(({ pid }) => pid as number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        child.kill('SIGCONT'); // whoever was stopped hears of it, too
        const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
        await ended;
        clearTimeout(timer);
      }),
    );
  }
}

/** Resolves when all of them listen. One that ends later is told of on standard error; the others go on. */
export async function startBenchNodes({ port, nodes, url, folder }: BenchNodesOptions): Promise<BenchNodes> {
  const children = Array.from({ length: nodes }, (_, index) => {
    const data = join(folder, `node-${index + 1}`);
    const args = ['--port', String(port + index), '--keyspace', url, '--data', data];
    return fork(script, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  });
  await using started = new AsyncDisposableStack();
  const all = started.use(new BenchNodes(children));
  await Promise.all(children.map((child, index) => listening(child, index + 1)));
  children.forEach((child, index) => {
    child.once('exit', (code, signal) => process.stderr.write(`Node ${index + 1} ended: ${signal ?? code}.\n`));
  });
  started.move();
  return all;
}

/** A node says so in one line. */
async function listening(child: ChildProcess, number: number): Promise<void> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`Node ${number} does not start.`);
  });
  await Promise.race([once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data'), ended]);
}
