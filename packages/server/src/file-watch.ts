import { statSync } from 'node:fs';

const CHECK_MS = 10_000;

/** Calls `onChange` whenever a file has become another one. Where that fails it is told, and tried at the next change. */
export class FileWatch implements Disposable {
  readonly #file: () => string | undefined;
  readonly #onChange: () => Promise<unknown>;
  readonly #onError: (error: Error) => void;
  readonly #timer: NodeJS.Timeout;
  #before: string;

  constructor(
    file: () => string | undefined,
    onChange: () => Promise<unknown>,
    onError: (error: Error) => void,
    checkMs = CHECK_MS,
  ) {
    this.#file = file;
    this.#onChange = onChange;
    this.#onError = onError;
    this.#before = stateOf(file());
    this.#timer = setInterval(() => this.check(), checkMs).unref();
  }

  check(): void {
    const now = stateOf(this.#file());
    if (now === this.#before) return;
    this.#before = now;
    // it may be gone for a moment only
    if (now !== '') this.#onChange().catch(this.#onError);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function stateOf(file: string | undefined): string {
  const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? '' : [file, stat.ino, stat.size, stat.mtimeMs].join(' ');
}
