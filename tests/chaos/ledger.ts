import type { Timeline } from './timeline.ts';

/** One message, from when it was said to every time that it was heard. */
interface Message {
  readonly from: string;
  readonly to: string;
  readonly number: number;
  /** Its place among what this sender said to this receiver. */
  readonly place: number;
  readonly saidAt: number;
  acknowledgedAt: number | undefined;
  readonly heardAt: number[];
}

export interface Problem {
  readonly what: 'lost' | 'duplicated' | 'reordered' | 'strayed' | 'bounced' | 'unacknowledged';
  readonly message: Message;
  /** What it was overtaken by. */
  readonly before?: Message | undefined;
}

/** What everybody said, what was acknowledged, and what was heard. */
export class Ledger {
  readonly #timeline: Timeline;
  readonly #messages: Message[] = [];
  readonly #unacknowledged = new Map<string, Message[]>();
  /** How much each said to each, and the last of it that was heard. */
  readonly #pairs = new Map<string, { said: number; last: Message | undefined }>();
  readonly #problems: Problem[] = [];
  #heard = 0;
  /** Counts whatever is told to it. */
  progress = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The text of the next message from one to the other. */
  next(): string {
    return String(this.#messages.length);
  }

  said(from: string, to: string, body: string): void {
    const pair = this.#pair(from, to);
    const saidAt = Date.now();
    const number = Number(body);
    const message: Message = {
      from,
      to,
      number,
      place: pair.said++,
      saidAt,
      acknowledgedAt: undefined,
      heardAt: [],
    };
    this.#messages[number] = message;
    this.#waiting(from).push(message);
  }

  acknowledged(from: string, count: number): void {
    this.progress++;
    for (const message of this.#waiting(from).splice(0, count)) message.acknowledgedAt = Date.now();
  }

  heard(to: string, from: string, body: string): void {
    this.progress++;
    const message = this.#messages[Number(body)];
    if (message === undefined) throw new Error(`${to} heard from ${from} what nobody said: ${body}`);
    message.heardAt.push(Date.now());
    const pair = this.#pair(from, to);
    if (message.to !== to || message.from !== from) this.#problem('strayed', message);
    else if (message.heardAt.length > 1) this.#problem('duplicated', message);
    else {
      this.#heard++;
      if (pair.last !== undefined && pair.last.place > message.place) this.#problem('reordered', message, pair.last);
      else pair.last = message;
    }
  }

  bounced(body: string): void {
    this.progress++;
    const message = this.#messages[Number(body)];
    if (message !== undefined) this.#problem('bounced', message);
  }

  /** Whether everything is acknowledged and heard. */
  get complete(): boolean {
    const waiting = [...this.#unacknowledged.values()].some((messages) => messages.length > 0);
    return !waiting && this.#heard === this.#messages.length;
  }

  /** To be asked for when nothing is on its way any more. */
  problems(): Problem[] {
    const absent = this.#messages
      .filter(({ acknowledgedAt, heardAt }) => acknowledgedAt !== undefined && heardAt.length === 0)
      .map((message) => ({ what: 'lost', message }) as const);
    const unacknowledged = [...this.#unacknowledged.values()]
      .flat()
      .map((message) => ({ what: 'unacknowledged', message }) as const);
    return [...this.#problems, ...absent, ...unacknowledged];
  }

  figures() {
    const problems = this.problems();
    const count = (what: Problem['what']) => problems.filter((problem) => problem.what === what).length;
    return {
      said: this.#messages.length,
      acknowledged: this.#messages.length - count('unacknowledged'),
      lost: count('lost'),
      duplicated: count('duplicated'),
      reordered: count('reordered'),
      strayed: count('strayed'),
      bounced: count('bounced'),
    };
  }

  /** A problem in words, with what happened around it. */
  describe({ what, message, before }: Problem): string {
    const { from, to, number, place, saidAt, acknowledgedAt, heardAt } = message;
    const at = (time: number | undefined) => this.#timeline.seconds(time);
    const heard = heardAt.map(at).join(' and ') || 'never';
    const overtaken = before && `; behind #${before.number} (their ${before.place}.), said ${at(before.saidAt)}`;
    const until = heardAt.at(-1) ?? acknowledgedAt ?? saidAt;
    return [
      `${what}: ${from} → ${to} #${number} (their ${place}.), said ${at(saidAt)}, acknowledged ${at(acknowledgedAt)}, ` +
        `heard ${heard}${overtaken ?? ''}`,
      `faults: ${this.#timeline.around(saidAt, until)}`,
      ...this.#timeline.historyOf(from, saidAt, until),
      ...this.#timeline.historyOf(to, saidAt, until),
    ].join('\n    ');
  }

  /** The problems, those first that are the first of their kind between two people. */
  mostTelling(): Problem[] {
    const kinds = Map.groupBy(this.problems(), ({ what, message }) => `${what} ${message.from} ${message.to}`);
    const all = [...kinds.values()];
    return [...all.map((problems) => problems[0] as Problem), ...all.flatMap((problems) => problems.slice(1))];
  }

  #problem(what: Problem['what'], message: Message, before?: Message): void {
    const problem: Problem = { what, message, before };
    this.#problems.push(problem);
    this.#timeline.note(`WRONG ${what}: ${message.from} → ${message.to} #${message.number}`);
  }

  #waiting(from: string): Message[] {
    return this.#unacknowledged.getOrInsertComputed(from, () => []);
  }

  #pair(from: string, to: string) {
    return this.#pairs.getOrInsertComputed(`${from} ${to}`, () => ({ said: 0, last: undefined }));
  }
}
