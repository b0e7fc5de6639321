/** How many of what came are done with, none before it left out. */
export class Handled {
  #begun = 0;
  #done = 0;
  /** Done with before something that came earlier. */
  readonly #early = new Set<number>();
  #waiting: { readonly until: number; readonly tell: () => void }[] = [];

  get count(): number {
    return this.#done;
  }

  /** One more came; what it answers is called once when that is done with. */
  begin(): () => void {
    const number = this.#begun++;
    return () => {
      if (number !== this.#done) {
        this.#early.add(number);
        return;
      }
      this.#done++;
      while (this.#early.delete(this.#done)) this.#done++;
      const due = this.#waiting.filter(({ until }) => until <= this.#done);
      if (due.length === 0) return;
      this.#waiting = this.#waiting.filter(({ until }) => until > this.#done);
      for (const { tell } of due) tell();
    };
  }

  /** Calls back once when all that came so far is done with, which may be now. */
  whenCaughtUp(tell: () => void): void {
    if (this.#done >= this.#begun) tell();
    else this.#waiting.push({ until: this.#begun, tell });
  }
}
