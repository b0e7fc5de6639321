import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Tickets } from './kdc.ts';
import { programOf } from './unprivileged.ts';

/** The client's side of GSSAPI by GNU SASL (Debian's gsasl): a line of base64 for each message. Ends with the test. */
export class GnuSasl {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor({ env }: Tickets, authzid: string) {
    const who = ['--authentication-id', 'juliet', '--authorization-id', authzid];
    const words = [
      '--client',
      '--quiet',
      '--mechanism',
      'GSSAPI',
      '--service',
      'xmpp',
      '--hostname',
      'localhost',
      ...who,
    ];
    const { PATH } = process.env;
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    this.#child = spawn(programOf('Kerberos', 'gsasl'), words, { env: { PATH, ...env }, stdio: [...stdio] });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('gsasl has ended.');
    return value;
  }

  /** Its first message. */
  async first(): Promise<string> {
    const mechanism = await this.#line();
    if (mechanism !== 'GSSAPI') throw new Error(`It speaks ${mechanism}.`);
    return this.#line();
  }

  /** What it says to a challenge, in base64 both. */
  answer(challenge: string): Promise<string> {
    this.#child.stdin?.write(`${challenge}\n`);
    return this.#line();
  }
}
