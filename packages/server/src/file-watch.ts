import { statSync } from 'node:fs';

const CHECK_MS = 10_000;

/** Calls `onChange` whenever one of some files has become another one. Where that fails it is told, and tried at the next change. */
export class FileWatch implements Disposable {
  readonly #files: () => readonly string[];
  readonly #onChange: () => Promise<unknown>;
  readonly #onError: (error: Error) => void;
  readonly #timer: NodeJS.Timeout;
  #before: string;

  constructor(
    files: () => readonly string[],
    onChange: () => Promise<unknown>,
    onError: (error: Error) => void,
    checkMs = CHECK_MS,
  ) {
    this.#files = files;
    this.#onChange = onChange;
    this.#onError = onError;
    this.#before = stateOf(files());
    this.#timer = setInterval(() => this.check(), checkMs).unref();
  }

  check(): void {
    const now = stateOf(this.#files());
    if (now === this.#before) return;
    this.#before = now;
    // one may be gone for a moment only
    if (now !== '' && !now.includes(GONE)) this.#onChange().catch(this.#onError);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

const GONE = '\0';

function stateOf(files: readonly string[]): string {
  const states = [...new Set(files)].map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? `${file} ${GONE}` : [file, stat.ino, stat.size, stat.mtimeMs].join(' ');
  });
  return states.join('\n');
}
