import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MEMORY = new URL('./bench-memory.ts', import.meta.url).href;
const CLI = fileURLToPath(new URL('../packages/cli/src/parley.ts', import.meta.url));
/** Of /proc: hundredths of a second on every Linux that there is. */
const TICK_MS = 10;
/** Of what a server says beside its log, so much is told where it ends early. */
const MOST_SAID = 4000;

/** A line of the log. */
interface Line {
  readonly event: string;
  readonly listeners?: readonly { readonly name: string; readonly port: number }[];
}

/** In bytes. */
export interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

/** CPU time that a process has taken since it was started. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** A server in a process of its own, as `parley start` starts it. */
export class BenchProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #told = new Map<string, Line>();
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Map<string, PromiseWithResolvers<Line>>();
  #said = '';
  #over = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        this.#over = true;
        for (const { reject } of this.#waiting.values()) reject(this.#gone());
        resolve();
      });
    });
    child.stderr?.on('data', (chunk) => {
      this.#said = (this.#said + chunk).slice(-MOST_SAID);
    });
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => this.#hear(text));
  }

  /** `log.level` has to be `info` at least. Its configuration is written to `folder`. `node`: options of Node.js. */
  static async start(folder: string, config: object, node: readonly string[] = []): Promise<BenchProcess> {
    const file = join(folder, 'parley.json');
    await writeFile(file, JSON.stringify(config));
    const command = [
      ...node,
      '--disable-proto=delete',
      '--expose-gc',
      '--import',
      MEMORY,
      CLI,
      '--config',
      file,
      'start',
    ];
    return new BenchProcess(spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }));
  }

  #hear(text: string): void {
    const line: Line = JSON.parse(text);
    this.#told.set(line.event, line);
    this.#counts.set(line.event, this.count(line.event) + 1);
    this.#waiting.get(line.event)?.resolve(line);
    this.#waiting.delete(line.event);
  }

  #gone(): Error {
    return new Error(`A server has ended. It said:\n${this.#said}`);
  }

  /** The last line of the log that tells of this, as soon as there is one. */
  async told(event: string): Promise<Line> {
    const line = this.#told.get(event);
    if (line !== undefined) return line;
    if (this.#over) throw this.#gone();
    const waiting = this.#waiting.get(event) ?? Promise.withResolvers<Line>();
    this.#waiting.set(event, waiting);
    return waiting.promise;
  }

  /** How many lines of the log have told of this. */
  count(event: string): number {
    return this.#counts.get(event) ?? 0;
  }

  /** What it needs when everything is collected that nobody needs. `snapshot`: a file that what is left is written to. */
  async memory(snapshot = ''): Promise<Memory> {
    const [memory] = await Promise.all([once(this.#child, 'message'), this.#child.send(snapshot)]);
    return memory[0];
  }

  /** The port that it listens on, by the name in the configuration. */
  async port(name: string): Promise<number> {
    const { listeners = [] } = await this.told('server.started');
    const port = listeners.find((each) => each.name === name)?.port;
    if (port === undefined) throw new Error(`A server does not listen on ${name}.`);
    return port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
