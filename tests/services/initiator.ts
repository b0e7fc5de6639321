import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Tickets } from './kdc.ts';

const SCRIPT = fileURLToPath(new URL('../kerberos/initiator.py', import.meta.url));

export interface InitiatorOptions {
  /** Asks for a proof of the service. */
  readonly mutual?: boolean;
  /** Knows one kind of encryption alone. */
  readonly encryption?: number | undefined;
}

/** Somebody with tickets, who speaks the GSS-API by Debian's python3-gssapi. */
export class Initiator {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** Ends with the test. */
  static of(tickets: Tickets): Initiator {
    const initiator = new Initiator(tickets);
    onTestFinished(() => initiator.end());
    return initiator;
  }

  /** Whoever makes it ends it. */
  constructor({ env }: Tickets) {
    const { PATH } = process.env;
    this.#child = spawn('/usr/bin/python3', [SCRIPT], { env: { PATH, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  async #call(...words: unknown[]): Promise<Buffer> {
    this.#child.stdin?.write(`${JSON.stringify(words)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('The initiator has ended.');
    const answer = JSON.parse(value) as string | { error: string };
    if (typeof answer !== 'string') throw new Error(answer.error);
    return Buffer.from(answer, 'base64');
  }

  /** The first token. */
  begin(service: string, { mutual = true, encryption }: InitiatorOptions = {}): Promise<Buffer> {
    return this.#call('begin', service, mutual, encryption ?? null);
  }

  step(token: Buffer): Promise<Buffer> {
    return this.#call('step', token.toString('base64'));
  }

  wrap(data: Buffer): Promise<Buffer> {
    return this.#call('wrap', data.toString('base64'));
  }

  unwrap(data: Buffer): Promise<Buffer> {
    return this.#call('unwrap', data.toString('base64'));
  }
}
