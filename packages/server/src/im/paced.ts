import type { Hooks } from '../hooks.ts';
import type { Awaitable } from '../pipeline.ts';
import type { Session } from '../session/session.ts';
import type { Turns } from './turns.ts';

/** Steps that are done without the event loop going round. */
const AT_ONCE = 100;
/** How soon to look again whether a connection takes more. */
const LOOK_MS = 50;

type Steps = Iterator<Awaitable<void>, void>;

/**
 * Sends many things to one session that need not all be there at once: others get their turn in between, and a client
 * that is behind with what it was sent before gets the rest when it has caught up, instead of being cut off.
 */
export class Paced {
  readonly #hooks: Hooks;
  readonly #turns: Turns;
  /** All that is not done, by session. */
  readonly #open = new Map<Session, Set<Steps>>();
  /** Those that wait for their clients. */
  readonly #parked = new Map<Session, Steps[]>();

  constructor(hooks: Hooks, turns: Turns) {
    this.#hooks = hooks;
    this.#turns = turns;
    hooks.events.on('session.drained', (session) => this.#goOn(session));
    hooks.events.on('session.unbound', (session) => this.#forget(session));
    hooks.events.on('session.moved', (session) => this.#forget(session));
    // the node that takes the session over knows nothing of this
    hooks.events.on('session.leaving', (session) => this.#finish(session));
  }

  /** Each step sends one thing. The first ones are taken in this turn. */
  start(session: Session, steps: Steps): void {
    const open = this.#open.get(session);
    if (open === undefined) this.#open.set(session, new Set([steps]));
    else open.add(steps);
    this.#continue(session, steps);
  }

  #continue(session: Session, steps: Steps): void {
    this.#hooks.pending.add(this.#run(session, steps));
  }

  async #run(session: Session, steps: Steps): Promise<void> {
    for (let count = 1; ; count++) {
      const step = steps.next();
      if (step.done) break;
      if (step.value instanceof Promise) await step.value;
      if (count % AT_ONCE === 0) await this.#turns.next();
      if (session.ended) break;
      if (this.#isBehind(session)) return this.#park(session, steps);
    }
    this.#close(session, steps);
  }

  /** Whether the client has to take something of what it was sent before it is sent more that can wait. */
  #isBehind({ management, stream }: Session): boolean {
    return management === undefined ? stream.transport.blocked : management.full;
  }

  #park(session: Session, steps: Steps): void {
    const parked = this.#parked.get(session);
    if (parked === undefined) this.#parked.set(session, [steps]);
    else parked.push(steps);
    if (session.management === undefined) setTimeout(() => this.#look(session), LOOK_MS).unref();
  }

  #look(session: Session): void {
    if (session.management === undefined && this.#isBehind(session)) {
      if (this.#parked.has(session)) setTimeout(() => this.#look(session), LOOK_MS).unref();
    } else if (session.management?.full !== true) {
      this.#goOn(session);
    }
  }

  #goOn(session: Session): void {
    const parked = this.#parked.get(session) ?? [];
    this.#parked.delete(session);
    for (const steps of parked) this.#continue(session, steps);
  }

  #finish(session: Session): void {
    for (const steps of this.#open.get(session) ?? []) {
      for (let step = steps.next(); !step.done; step = steps.next());
    }
    this.#forget(session);
  }

  #close(session: Session, steps: Steps): void {
    const open = this.#open.get(session);
    open?.delete(steps);
    if (open?.size === 0) this.#open.delete(session);
  }

  #forget(session: Session): void {
    this.#open.delete(session);
    this.#parked.delete(session);
  }
}
