import { stat } from 'node:fs/promises';

const CHECK_MS = 10_000;
/** Files that are looked at together: there may be two for each of thousands of domains. */
const AT_ONCE = 32;

/**
 * Calls `onChange` whenever one of some files has become another one, also where only a link on the way to it has, as when
 * Kubernetes changes a mounted Secret. Where that fails it is told, and tried at the next change.
 */
export class FileWatch implements Disposable {
  readonly #files: () => readonly string[];
  readonly #onChange: () => Promise<unknown>;
  readonly #onError: (error: Error) => void;
  readonly #before: Promise<string>;
  #seen: string | undefined;
  #checking = false;
  #timer: NodeJS.Timeout | undefined;

  /** From now on each change counts; `start` has them looked for. */
  constructor(files: () => readonly string[], onChange: () => Promise<unknown>, onError: (error: Error) => void) {
    this.#files = files;
    this.#onChange = onChange;
    this.#onError = onError;
    this.#before = stateOf(files());
  }

  /** Again is as well as once. */
  start(checkMs = CHECK_MS): this {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.check(), checkMs).unref();
    return this;
  }

  /** Resolves when what has changed is dealt with. */
  async check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      this.#seen ??= await this.#before;
      const now = await stateOf(this.#files());
      if (now === this.#seen) return;
      this.#seen = now;
      // one may be gone for a moment only
      if (now !== '' && !now.includes(GONE)) await this.#onChange();
    } catch (error) {
      this.#onError(error as Error);
    } finally {
      this.#checking = false;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

const GONE = '\0';

async function stateOf(files: readonly string[]): Promise<string> {
  const each = [...new Set(files)];
  const states: string[] = [];
  for (let first = 0; first < each.length; first += AT_ONCE) {
    states.push(...(await Promise.all(each.slice(first, first + AT_ONCE).map(fileState))));
  }
  return states.join('\n');
}

async function fileState(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return [file, ino, size, mtimeMs].join(' ');
  } catch {
    return `${file} ${GONE}`;
  }
}
