import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs';
import type { Sink } from './audit-queue.ts';

const TAG = 'parley';
const MOST_TOLD = 200;

/**
 * The syslog daemon of the machine, by its socket. Node.js has no Unix sockets for datagrams, so `logger` of util-linux,
 * which every Linux has, sends what it reads: one line a message, with its priority in front.
 */
export class LoggerSink implements Sink {
  readonly #socket: string;
  #child: ChildProcess | undefined;
  #failure: Error | undefined;

  constructor(socket: string) {
    this.#socket = socket;
  }

  send(lines: readonly Buffer[], done: (error: Error | undefined, bytes: number) => void): void {
    const failed = this.#failure;
    this.#failure = undefined;
    stat(this.#socket, (missing) => {
      const error = missing ?? failed;
      if (error) done(error, 0);
      else this.#hand(Buffer.concat(lines), done);
    });
  }

  close(): void {
    this.#child?.stdin?.end(); // it sends what it has, and ends
    this.#child?.unref();
  }

  #hand(bytes: Buffer, done: (error: Error | undefined, bytes: number) => void): void {
    const input = (this.#child ?? this.#started()).stdin;
    input?.write(bytes, (error) => done(error ?? undefined, error ? 0 : bytes.length));
  }

  #started(): ChildProcess {
    const about = ['--socket', this.#socket, '--socket-errors=on', '--tag', TAG, `--id=${process.pid}`];
    const child = spawn('logger', [...about, '--prio-prefix', '--size', '8192'], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH },
    });
    // It goes on where the socket is gone, and loses what it reads: a new one is started, and it says when that works.
    const gone = (why: string) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#failure = new Error(`logger: ${why.trim().slice(0, MOST_TOLD)}`);
      child.kill();
    };
    child.on('error', (error) => gone(error.message)); // it is not installed
    child.on('exit', (code, signal) => gone(`it ended with ${code ?? signal}`));
    child.stdin?.on('error', () => {}); // told by the write
    child.stderr?.setEncoding('utf8').on('data', (text: string) => gone(text));
    this.#child = child;
    return child;
  }
}
