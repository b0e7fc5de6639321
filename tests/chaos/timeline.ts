import type { Loss } from '../support/managed-client.ts';

/** Something that was broken on purpose. */
export interface Fault {
  readonly kind: string;
  /** The node that it hit; undefined where it hit all. */
  readonly node: string | undefined;
  readonly from: number;
  to: number | undefined;
}

/** How long after a fault what goes wrong still counts as its work, in milliseconds. */
const AFTERMATH = 2000;

/** How exactly clients know when a silence began, in milliseconds. */
const SLACK = 500;

/** A connection that answers nothing for so long, in milliseconds, is given up by clients. */
export const CLIENT_PATIENCE = 6000;

/** Kinds of faults by which connections end, and those by which they look alive and are dead. */
const CLOSING = /^(?!break|.*-half-open|.*-frozen)/;
const SILENCING = /^(?!break|client-link-cut)/;

/** How long before and after a stanza's time the faults are told, in milliseconds. */
const AROUND = 3000;

/** What happened when, told in seconds since the beginning. */
export class Timeline {
  readonly began = Date.now();
  readonly faults: Fault[] = [];
  readonly #lines: { readonly at: number; readonly text: string; readonly who?: string }[] = [];

  note(text: string, at = Date.now()): void {
    this.#lines.push({ at, text });
  }

  /** Something happened to somebody. */
  befell(who: string, text: string): void {
    this.#lines.push({ at: Date.now(), text: `${who} ${text}`, who });
  }

  /** What happened to somebody around a span of time. */
  historyOf(who: string, from: number, to: number): string[] {
    const near = this.#lines.filter((line) => line.who === who && line.at >= from - AROUND && line.at <= to + AROUND);
    return near.map(({ at, text }) => `${this.seconds(at)} ${text}`);
  }

  begin(kind: string, node?: string, words = ''): Fault {
    const fault: Fault = { kind, node, from: Date.now(), to: undefined };
    this.faults.push(fault);
    this.note(`FAULT ${nameOf(fault)} ${words}`.trimEnd());
    return fault;
  }

  end(fault: Fault, at = Date.now()): void {
    fault.to = at;
    this.note(`over  ${nameOf(fault)}`, at);
  }

  /** The kind of fault by which somebody on this node lost their connection now, the way they noticed it. */
  causeOf(node: string, how: Loss): string {
    if (how === 'broken') return 'break';
    // whoever noticed by the silence lost it when the silence began
    const [possible, at] = how === 'silent' ? [SILENCING, Date.now() - CLIENT_PATIENCE] : [CLOSING, Date.now()];
    const hits = (fault: Fault) =>
      possible.test(fault.kind) &&
      (fault.node === undefined || fault.node === node) &&
      fault.from <= at + SLACK &&
      at <= (fault.to ?? at) + AFTERMATH;
    return this.faults.findLast(hits)?.kind ?? 'none known';
  }

  /** The faults around a span of time, in words, without those that only their victims felt. */
  around(from: number, to: number): string {
    const near = this.faults.filter(
      ({ kind, ...fault }) =>
        !/^(break|client-link)/.test(kind) && fault.from <= to + AROUND && (fault.to ?? to) >= from - AROUND,
    );
    const told = near.map((fault) => `${nameOf(fault)} ${this.seconds(fault.from)}–${this.seconds(fault.to)}`);
    return told.join(', ') || 'no fault';
  }

  seconds(at: number | undefined): string {
    return at === undefined ? 'never' : `${((at - this.began) / 1000).toFixed(3)}`;
  }

  /** How often each kind of fault happened. */
  counts(): Record<string, number> {
    const kinds = Object.groupBy(this.faults, ({ kind }) => kind);
    return Object.fromEntries(Object.entries(kinds).map(([kind, faults]) => [kind, faults?.length ?? 0]));
  }

  toString(): string {
    const inOrder = this.#lines.toSorted((one, other) => one.at - other.at);
    return inOrder.map(({ at, text }) => `${this.seconds(at).padStart(9)}  ${text}\n`).join('');
  }
}

const nameOf = ({ kind, node }: Fault): string => (node === undefined ? kind : `${kind} ${node}`);
