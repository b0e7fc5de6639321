/** Directories correct the members of a group a moment after an entry has another name, or their administrators do. */
const REMEMBERED_MS = 30_000;

/**
 * Names that entries had until a moment ago, in the form for comparing: whoever has got another name stays in the groups
 * that have not followed yet.
 */
export class FormerNames {
  readonly #names = new Map<string, { readonly now: string; readonly timer: NodeJS.Timeout }>();
  readonly #onForgotten: (dn: string) => void;
  readonly #forMs: number;

  constructor(onForgotten: (dn: string) => void, forMs = REMEMBERED_MS) {
    this.#onForgotten = onForgotten;
    this.#forMs = forMs;
  }

  /** An entry has another name. */
  add(before: string, now: string): void {
    this.#forget(now); // somebody has it
    this.#forget(before);
    const timer = setTimeout(() => {
      this.#names.delete(before);
      this.#onForgotten(before);
    }, this.#forMs).unref();
    this.#names.set(before, { now, timer });
  }

  /** The name that the entry has now, where it had this one. */
  of(dn: string): string | undefined {
    const first = this.#names.get(dn)?.now;
    return first === undefined ? undefined : (this.of(first) ?? first);
  }

  #forget(dn: string): void {
    clearTimeout(this.#names.get(dn)?.timer);
    this.#names.delete(dn);
  }

  close(): void {
    for (const dn of [...this.#names.keys()]) this.#forget(dn);
  }
}
