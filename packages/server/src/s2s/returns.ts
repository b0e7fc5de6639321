import { crc32 } from 'node:zlib';
import type { Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { Awaitable } from '../pipeline.ts';
import type { Sent } from '../session/sent.ts';

/**
 * Answers to one sender that are under way at the same time. A node that dies meanwhile has them said once more, all of them, and
 * whoever gets them knows the last 16 of a queue (`RETURNED`).
 */
const MOST_UNDER_WAY = 4;
/** How long an answer may take until it is where it cannot get lost; it goes on by itself then. */
const LONGEST_ANSWER_MS = 10_000;

interface Returned {
  readonly stanza: Stanza;
  readonly number: number;
}

/** What a queue returns to its senders: read, and numbered so that whoever returns it once more says the same. */
export class Returns {
  readonly #taken: readonly Sent[];
  readonly #read = new Map<Sent, Returned>();

  constructor(taken: readonly Sent[], onFault: (error: unknown) => void) {
    this.#taken = taken;
    const numbers = new Set<number>();
    for (const sent of taken) {
      const { text, at, origin } = sent;
      let number = crc32(`${at} ${origin?.sid} ${origin?.k} ${origin?.effect} ${text}`);
      while (numbers.has(number)) number = (number + 1) >>> 0; // somebody has said the same twice
      numbers.add(number);
      try {
        this.#read.set(sent, { stanza: stanzaFromText(Buffer.from(text)), number });
      } catch (error) {
        onFault(error);
      }
    }
  }

  /** What may be under way at the same time, oldest first. */
  *parts(): Iterable<readonly Sent[]> {
    let part: Sent[] = [];
    const underWay = new Map<string, number>();
    for (const sent of this.#taken) {
      const sender = this.#read.get(sent)?.stanza.from?.toString() ?? '';
      const count = underWay.get(sender) ?? 0;
      if (count >= MOST_UNDER_WAY) {
        yield part;
        part = [];
        underWay.clear();
      }
      part.push(sent);
      underWay.set(sender, (underWay.get(sender) ?? 0) + 1);
    }
    if (part.length > 0) yield part;
  }

  /** Has a part answered. Resolves when that cannot get lost any more, or is stuck; never rejects. */
  answer(part: readonly Sent[], answer: (returned: Returned) => Awaitable<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LONGEST_ANSWER_MS).unref();
    const all = part.map((sent) => {
      const returned = this.#read.get(sent);
      return returned && answer(returned);
    });
    void Promise.allSettled(all).then(() => {
      clearTimeout(timer);
      resolve();
    });
    return promise;
  }
}
