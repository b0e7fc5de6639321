import { StanzaError } from '@parley/xmpp/stanza-error';
import { FewAtATime } from '../few-at-a-time.ts';
import type { Stream } from '../stream/stream.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { KeyToVerify, KeyVerifier } from './dialback-key.ts';

/** Has dialback keys verified by the servers that DNS names, a few of each stream at a time. */
export class KeyRequests {
  readonly #verifier: KeyVerifier;
  /** How many of one stream at a time. */
  readonly #most: () => number;
  readonly #streams = new WeakMap<Stream, FewAtATime>();

  constructor(verifier: KeyVerifier, most: () => number) {
    this.#verifier = verifier;
    this.#most = most;
  }

  /** Whether a key is good, or why that could not be found out (XEP-0220 §2.4.2). Never rejects. */
  async ask(stream: Stream, key: KeyToVerify): Promise<boolean | StanzaError> {
    let turns = this.#streams.get(stream);
    if (turns === undefined) {
      turns = new FewAtATime({ most: this.#most });
      this.#streams.set(stream, turns);
    }
    try {
      return await turns.run(async () => (stream.closed ? false : await this.#verifier.verify(key)));
    } catch (error) {
      // only the condition goes out: where we could connect to, and where not, is nobody else's business
      if (error instanceof ConnectionFailure) return new StanzaError(error.condition, { cause: error });
      stream.host.onFault(error, stream);
      return new StanzaError('remote-server-timeout');
    }
  }
}
