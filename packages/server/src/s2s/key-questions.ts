import type { KeyToVerify, KeyVerifier } from './dialback-key.ts';
import type { EstablishedStream } from './outgoing-stream.ts';

export interface KeyQuestionsHost {
  /** A stream that stanzas go on, if there is one. */
  stream(local: string, remote: string): EstablishedStream | undefined;
  /** One for keys alone. */
  open(local: string, remote: string): Promise<EstablishedStream>;
}

interface Asking {
  readonly stream: Promise<EstablishedStream>;
  questions: number;
}

/** Asks other servers whether dialback keys are their own, on a stream that there is, or on one for nothing else. */
export class KeyQuestions implements KeyVerifier {
  readonly #host: KeyQuestionsHost;
  readonly #asking = new Map<string, Asking>();

  constructor(host: KeyQuestionsHost) {
    this.#host = host;
  }

  async verify(key: KeyToVerify): Promise<boolean> {
    const { receiving, originating } = key;
    const there = this.#host.stream(receiving, originating);
    if (there !== undefined && !there.over) return await there.verify(key);
    const name = `${receiving} ${originating}`;
    let asking = this.#asking.get(name);
    if (asking === undefined) {
      asking = { stream: this.#host.open(receiving, originating), questions: 0 };
      this.#asking.set(name, asking);
    }
    asking.questions++;
    try {
      return await (await asking.stream).verify(key);
    } finally {
      asking.questions--;
      if (asking.questions === 0) {
        this.#asking.delete(name);
        asking.stream.then(
          (stream) => stream.close('the keys are verified'),
          () => {}, // who asked knows already
        );
      }
    }
  }
}
