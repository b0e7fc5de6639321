/** After a failover a shard settles: owners write their sessions, nodes put back their commits, sessions learn. */
export class Settling {
  /** Sessions that were not written yet. */
  reasserting = 0;
  /** Commits that were not put back yet. */
  replaying = 0;
  /** Accounts whose sessions have not learned yet. */
  learning = 0;
  #learning = true;

  begin(): void {
    this.reasserting = 0;
    this.replaying = 0;
    this.learning = 0;
    this.#learning = false;
  }

  /** @returns true once, when everything was put back */
  mayLearn(): boolean {
    if (this.#learning || !this.replayed) return false;
    this.#learning = true;
    return true;
  }

  get replayed(): boolean {
    return this.reasserting <= 0 && this.replaying <= 0;
  }

  get over(): boolean {
    return this.replayed && this.#learning && this.learning <= 0;
  }
}
