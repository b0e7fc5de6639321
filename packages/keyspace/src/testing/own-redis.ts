import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findProgram, missingMessage, testNeeds } from '../../../../scripts/test-services.ts';
import { standStill } from '../../../../tests/support/stand-still.ts';

/** Below those that systems give to outgoing connections, so that nobody gets it while its owner is dead for a while. */
const [FIRST_PORT, LAST_PORT] = [10_000, 32_000];

/** None is given twice: servers that are started together would both find it free. */
const given = new Set<number>();

/** A port that is free, and stays so until it is listened on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** A Redis that a test may maltreat: always a process of its own, always on the same port. */
export class OwnRedis {
  readonly port: number;
  readonly directory = mkdtempSync(join(tmpdir(), 'parley-own-redis-'));
  readonly #options: string[];
  readonly #sentinel: string | undefined;
  #process: ChildProcess | undefined;

  private constructor(port: number, options: string[], sentinel: string | undefined) {
    this.port = port;
    this.#options = options;
    this.#sentinel = sentinel;
  }

  /** Runs until the test ends. `options` are redis-server's own; `sentinel` is the file of settings of a sentinel. */
  static async start(options: string[] = [], sentinel?: string): Promise<OwnRedis> {
    const redis = new OwnRedis(await freePort(), options, sentinel);
    onTestFinished(() => redis.#remove());
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** What an option was given. */
  option(name: string): string {
    return this.#options[this.#options.indexOf(name) + 1] ?? '';
  }

  /** Starts it, again. It has forgotten everything. */
  async start(): Promise<void> {
    const program = findProgram('redis-server', 'valkey-server');
    if (!program) {
      const need = testNeeds.filter(({ variable }) => variable === 'TEST_REDIS_URL');
      throw new Error(missingMessage(need, 'these tests kill it, so it has to be a program on this machine'));
    }
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory];
    const rest = this.#sentinel === undefined ? ['--save', '', ...this.#options] : ['--sentinel'];
    const file = this.#sentinel === undefined ? [] : [this.#sentinel];
    const setpriv = findProgram('setpriv');
    // Linux ends it with the tests, even where those are killed.
    const [command = program, ...words] = [...(setpriv ? [setpriv, '--pdeathsig', 'KILL'] : []), program];
    const child = spawn(command, [...words, ...file, ...own, ...rest], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.on(
        'data',
        (chunk) => /Ready to accept connections|Running mode=sentinel/.test(String(chunk)) && resolve(),
      );
      child.once('exit', () => reject(new Error('Redis ended before it was ready')));
    });
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Resolves when it answers nothing any more. */
  async freeze(): Promise<void> {
    const { pid } = this.#process ?? {};
    if (pid !== undefined) await standStill(pid);
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** One command over a connection of its own; the first line of the answer. */
  async ask(...words: string[]): Promise<string> {
    return (await this.askAll(...words)).split('\r\n', 1)[0] ?? '';
  }

  /** The whole of a short answer. */
  askAll(...words: string[]): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    socket.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', () => reject(new Error(`Redis closed the connection instead of answering ${words[0]}`)));
      socket.once('data', (answer) => {
        resolve(String(answer));
        socket.destroy();
      });
    });
  }

  async #remove(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
