import type { DirectoryAway } from '../directory-error.ts';

export interface HealthOptions {
  /** Finds out whether the server works; throws DirectoryAway where it does not. */
  probe(): Promise<void>;
  /** It went away, or it came back after so many milliseconds. */
  onAway(reason: DirectoryAway): void;
  onBack(milliseconds: number): void;
}

/** The first time that a server is left alone; it doubles with each probe that fails, up to the longest. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5000;
/** One that works for so long begins with the first pause again. */
const STEADY = 30_000;

/** Whether a server is asked. One that fails is set aside, and looked at again and again until it works. */
export class ServerHealth {
  readonly #options: HealthOptions;
  #awaySince: number | undefined;
  #backSince = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#awaySince !== undefined;
  }

  answered(): void {
    this.#answeredAt = performance.now();
  }

  /** Something that began at `since` failed. */
  failed(reason: DirectoryAway, since: number): void {
    if (this.isAway || this.#closed || reason.crowded) return;
    // One question that takes long does not make a server slow that answers others meanwhile.
    if (reason.late && this.#answeredAt > since) return;
    const now = performance.now();
    if (now - this.#backSince > STEADY) this.#failures = 0;
    this.#awaySince = now;
    this.#options.onAway(reason);
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures++);
    // Nodes that lose a server together do not all come back to it at once.
    this.#timer = setTimeout(() => void this.#probe(), pause * (0.75 + Math.random() / 4)).unref();
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.probe();
    } catch {
      if (!this.#closed) this.#schedule();
      return;
    }
    if (this.#closed) return;
    const now = performance.now();
    const away = now - (this.#awaySince ?? now);
    this.#awaySince = undefined;
    this.#backSince = now;
    this.#options.onBack(away);
  }
}
