import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pythonWithSlixmpp } from '../services/python.ts';
import type { Reading, Tree } from './reading.ts';

const SCRIPT = fileURLToPath(new URL('expat.py', import.meta.url));

/** The parser that XmlReader is compared with: expat, in a Python process that lives as long as this object. */
export class Expat implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    const child = spawn(pythonWithSlixmpp(), ['-I', SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process = child;
    this.#answers = createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]();
  }

  /** Reads a whole document: the root's complete children, and what is wrong with the document. */
  parse(document: Buffer): Promise<Reading> {
    const reading = this.#last.then(() => this.#parse(document));
    this.#last = reading;
    return reading;
  }

  async #parse(document: Buffer): Promise<Reading> {
    (this.#process.stdin as Writable).write(`${document.toString('base64')}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('Python has ended.');
    const [error, elements] = JSON.parse(value) as [string | null, Tree[]];
    return { error: error ?? undefined, elements: elements.map(sorted) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
  }
}

/** Attributes have no order. */
function sorted([name, ns, attributes, children]: Tree): Tree {
  return [
    name,
    ns,
    [...attributes].sort((a, b) => (`${a}` < `${b}` ? -1 : 1)),
    children.map((child) => (typeof child === 'string' ? child : sorted(child))),
  ];
}
