/** What may come at once or later: a stage answers at once wherever there is nothing to wait for. */
export type Awaitable<T> = T | Promise<T>;

/** Thrown by a guard that ends a subject's way without a word: nobody is told. */
export class Dropped extends Error {
  override readonly name = 'Dropped';
}

/** The stages of a pipeline, in the order they run; inside a stage, handlers run in the order of the modules' list. */
export interface Stages<T, C> {
  /** May refuse: throws a StanzaError, or Dropped. */
  guard(subject: T, context: C): Awaitable<void>;
  /** May rewrite: returns the subject to carry on with. */
  transform(subject: T, context: C): Awaitable<T>;
  /** May only look; what it throws is reported, never felt by the subject. */
  observe(subject: T, context: C): Awaitable<void>;
  /** May take delivery: the first to return true ends the pipeline. */
  deliver(subject: T, context: C): Awaitable<boolean>;
}

type Stage = keyof Stages<unknown, unknown>;
type Handler<T, C> = (subject: T, context: C) => Awaitable<unknown>;
interface Step<T, C> {
  readonly stage: Stage;
  readonly handler: Handler<T, C>;
}

const ORDER: readonly Stage[] = ['guard', 'transform', 'observe', 'deliver'];

/** Runs synchronously for as long as no handler really returns a promise. */
export class Pipeline<T, C> {
  #steps: readonly Step<T, C>[] = [];
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  use<S extends Stage>(stage: S, handler: Stages<T, C>[S]): void {
    const steps = [...this.#steps, { stage, handler: handler as unknown as Handler<T, C> }];
    this.#steps = steps.sort((a, b) => ORDER.indexOf(a.stage) - ORDER.indexOf(b.stage)); // sort is stable
  }

  get empty(): boolean {
    return this.#steps.length === 0;
  }

  /** Runs every stage and says whether anyone took delivery. */
  run(subject: T, context: C): Awaitable<boolean> {
    const steps = this.#steps;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i] as Step<T, C>;
      let answer: Awaitable<unknown>;
      try {
        answer = step.handler(subject, context);
      } catch (error) {
        if (step.stage !== 'observe') throw error;
        this.#onError(error);
        continue;
      }
      if (answer instanceof Promise) {
        if (i === steps.length - 1 && step.stage === 'deliver') return answer as Promise<boolean>; // nobody comes after it
        return this.#continue(steps, i, answer, subject, context);
      }
      if (step.stage === 'transform') subject = answer as T;
      else if (step.stage === 'deliver' && answer === true) return true;
    }
    return false;
  }

  async #continue(
    steps: readonly Step<T, C>[],
    from: number,
    first: Promise<unknown>,
    subject: T,
    context: C,
  ): Promise<boolean> {
    for (let i = from; i < steps.length; i++) {
      const step = steps[i] as Step<T, C>;
      let answer: unknown;
      try {
        answer = await (i === from ? first : step.handler(subject, context));
      } catch (error) {
        if (step.stage !== 'observe') throw error;
        this.#onError(error);
        continue;
      }
      if (step.stage === 'transform') subject = answer as T;
      else if (step.stage === 'deliver' && answer === true) return true;
    }
    return false;
  }
}
