import { AsyncLocalStorage } from 'node:async_hooks';

/** Whose timers are whose: a process that is paused or dead has none that fire. */
export interface Process {
  readonly running: boolean;
}

type Callback = (...args: unknown[]) => void;

/** What a call of setTimeout, setInterval or setImmediate gives. */
export class Timer {
  readonly owner: Process;
  readonly callback: () => void;
  /** Milliseconds from when it is set until it fires; undefined for what comes in the next turn. */
  readonly delay: number | undefined;
  readonly repeats: boolean;
  readonly #clock: SimulatedClock;
  /** Milliseconds of the clock; undefined for what comes in the next turn. */
  due: number | undefined;

  constructor(clock: SimulatedClock, owner: Process, callback: () => void, delay?: number, repeats = false) {
    this.#clock = clock;
    this.owner = owner;
    this.callback = callback;
    this.delay = delay;
    this.repeats = repeats;
  }

  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  /** It is set anew, also where it has fired. */
  refresh(): this {
    this.#clock.refresh(this);
    return this;
  }
  close(): this {
    this.#clock.clear(this);
    return this;
  }
  [Symbol.dispose](): void {
    this.#clock.clear(this);
  }
}

/**
 * Time that passes only when the simulation says so. Timers belong to the process (see `run`) that set them, and fire when
 * the simulation has that process take its turn.
 */
export class SimulatedClock {
  readonly #processes = new AsyncLocalStorage<Process>();
  readonly #start: number;
  #now = 0;
  #timers = new Map<Process, Set<Timer>>();
  #turns = new Map<Process, Timer[]>();

  constructor(start: number) {
    this.#start = start;
  }

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds since 1970. */
  get date(): number {
    return this.#start + this.#now;
  }

  /** Does something as this process, and so all that follows from it. */
  run<Result>(process: Process, work: () => Result): Result {
    return this.#processes.run(process, work);
  }

  get current(): Process | undefined {
    return this.#processes.getStore();
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  setTimeout(owner: Process, callback: Callback, milliseconds = 0, args: unknown[] = [], repeating = false): Timer {
    const delay = Math.max(1, Number(milliseconds) || 0);
    const timer = new Timer(this, owner, () => callback(...args), delay, repeating);
    this.#set(timer, delay);
    return timer;
  }

  /** Behind all that are due in the same moment. */
  #set(timer: Timer, delay: number): void {
    const timers = this.#timers.get(timer.owner) ?? new Set();
    timers.delete(timer);
    timer.due = this.#now + delay;
    this.#timers.set(timer.owner, timers.add(timer));
  }

  refresh(timer: Timer): void {
    if (timer.delay !== undefined) this.#set(timer, timer.delay);
  }

  setImmediate(owner: Process, callback: Callback, args: unknown[] = []): Timer {
    const timer = new Timer(this, owner, () => callback(...args));
    const turn = this.#turns.get(owner);
    if (turn === undefined) this.#turns.set(owner, [timer]);
    else turn.push(timer);
    return timer;
  }

  clear(timer: Timer): void {
    this.#timers.get(timer.owner)?.delete(timer);
    const turn = this.#turns.get(timer.owner);
    const place = turn?.indexOf(timer) ?? -1;
    if (place >= 0) turn?.splice(place, 1);
  }

  /** The process is no more. */
  forget(process: Process): void {
    this.#timers.delete(process);
    this.#turns.delete(process);
  }

  /** Whether the process has something to do in its next turn. */
  hasTurn(process: Process): boolean {
    return process.running && (this.#turns.get(process)?.length ?? 0) > 0;
  }

  isDue(process: Process): boolean {
    return process.running && (this.#first(process)?.due ?? Number.POSITIVE_INFINITY) <= this.#now;
  }

  /** Milliseconds until a timer of a process that runs is due; Infinity where there is none. */
  get untilNext(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const process of this.#timers.keys()) {
      if (process.running) next = Math.min(next, this.#first(process)?.due ?? next);
    }
    return next - this.#now;
  }

  /** What setImmediate asked for in the process, one after the other: what is asked for meanwhile comes in the next turn. */
  async turn(process: Process, settle: () => Promise<void>): Promise<void> {
    const turn = this.#turns.get(process) ?? [];
    for (let left = turn.length; left > 0 && process.running; left--) {
      const next = turn.shift();
      if (next === undefined) return;
      this.run(process, next.callback);
      await settle();
    }
  }

  /** Fires the timer of the process that has been due the longest. */
  fire(process: Process): void {
    const timer = this.#first(process);
    if (timer === undefined) return;
    if (!timer.repeats) this.#timers.get(process)?.delete(timer);
    else timer.due = this.#now + (timer.delay ?? 0);
    this.run(process, timer.callback);
  }

  #first(process: Process): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.get(process) ?? []) {
      if (first === undefined || (timer.due as number) < (first.due as number)) first = timer;
    }
    return first;
  }
}
