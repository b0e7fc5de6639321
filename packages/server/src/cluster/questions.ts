import { startSpan } from '../tracing/trace.ts';
import { encodeNotice, encodeTrace } from './items.ts';

/** Ids of questions have this bit; those of deliveries do not. */
const QUESTION = 0x80000000;

/** What other nodes are asked that is not about a stanza, until they answer or are gone. */
export class Questions {
  readonly #send: (to: string, item: Buffer) => boolean;
  readonly #waiting = new Map<string, Map<number, (yes: boolean) => void>>();
  #count = 0;

  /** `send` returns false where there is no such node. */
  constructor(send: (to: string, item: Buffer) => boolean) {
    this.#send = send;
  }

  /** Resolves when the node has answered, with its answer, or is gone, with false. */
  ask(node: string, item: (id: number) => Buffer): Promise<boolean> {
    this.#count = (this.#count + 1) % QUESTION;
    const id = QUESTION + this.#count;
    if (!this.#send(node, item(id))) return Promise.resolve(false);
    return new Promise((answered) => {
      let waiting = this.#waiting.get(node);
      if (waiting === undefined) {
        waiting = new Map();
        this.#waiting.set(node, waiting);
      }
      waiting.set(id, answered);
    });
  }

  /** Tells a node something. Resolves when it has dealt with it, with its answer, or is gone, with false. */
  tell(node: string, subject: string, text: string): Promise<boolean> {
    const hop = startSpan('xmpp.hop', 'producer')?.set('parley.notice', subject);
    if (hop !== undefined) this.#send(node, encodeTrace(hop.traceparent, 'traceNotice'));
    const told = this.ask(node, (id) => encodeNotice({ id, subject, text }));
    if (hop !== undefined) void told.then((yes) => hop.end(yes ? undefined : 'refused'));
    return told;
  }

  /** Tells nodes something. Resolves when each has dealt with it, or is gone. */
  async tellAll(nodes: readonly string[], subject: string, text: string): Promise<void> {
    await Promise.all(nodes.map((node) => this.tell(node, subject, text)));
  }

  /** False where it is no question that the answer is to. */
  onAnswer(from: string, id: number, yes: boolean): boolean {
    if (id < QUESTION) return false;
    this.#waiting.get(from)?.get(id)?.(yes);
    this.#waiting.get(from)?.delete(id);
    return true;
  }

  onNodeGone(node: string): void {
    const waiting = this.#waiting.get(node);
    this.#waiting.delete(node);
    for (const answered of waiting?.values() ?? []) answered(false);
  }
}
