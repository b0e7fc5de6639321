import { type Profiler, Session } from 'node:inspector';

/**
 * Which blocks of the packages' code have run, as V8 counts them. Only code that is loaded after `Coverage.start` is
 * counted by blocks: what is to be watched must be imported behind it.
 */
export class Coverage implements Disposable {
  readonly #session: Session;
  readonly #seen = new Set<string>();

  private constructor(session: Session) {
    this.#session = session;
  }

  static start(): Coverage {
    const session = new Session();
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return new Coverage(session);
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Begins anew: nothing has run. */
  reset(): void {
    this.#seen.clear();
    this.#take();
  }

  /** The blocks that have run since the last time it was asked, and never before. */
  grown(): Set<string> {
    const fresh = this.#blocks().difference(this.#seen);
    for (const block of fresh) this.#seen.add(block);
    return fresh;
  }

  /** Which of these blocks have run since the last time it was asked. */
  reached(blocks: Set<string>): Set<string> {
    return this.#blocks().intersection(blocks);
  }

  #blocks(): Set<string> {
    const blocks = new Set<string>();
    for (const { url, scriptId, functions } of this.#take()) {
      if (!/\/packages\/[a-z-]+\/src\//.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) blocks.add(`${scriptId}:${startOffset}:${endOffset}:${magnitude(count)}`);
        }
      }
    }
    return blocks;
  }

  #take(): Profiler.ScriptCoverage[] {
    let scripts: Profiler.ScriptCoverage[] = [];
    // The inspector of the own thread answers before it returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error;
      scripts = answer.result;
    });
    return scripts;
  }

  [Symbol.dispose](): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}

/** Once, a few times, often: a loop that runs for longer is something new, but not every single time. */
const magnitude = (count: number) => (count === 1 ? 1 : count < 8 ? 2 : count < 64 ? 3 : 4);
