/** Gathers what was told, and wakes whoever waits for it. */
export class Bell {
  readonly #rung = new Set<string>();
  #wake: (() => void) | undefined;

  ring(id: string): void {
    this.#rung.add(id);
    this.#wake?.();
  }

  /** Resolves when something was told, or after that time. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#rung.size > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#wake = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
    signal.throwIfAborted();
  }

  /** Everything that was told since the last time. */
  take(): string[] {
    const all = [...this.#rung];
    this.#rung.clear();
    return all;
  }
}
