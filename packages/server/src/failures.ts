import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Metrics } from '@parley/metrics/registry';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { Log } from './log.ts';
import { Dropped } from './pipeline.ts';
import { errorFor } from './routing/answer.ts';
import { tellRefusal } from './routing/refusal.ts';
import { isAway, nextAttempt } from './session/attempts.ts';
import { currentTrace } from './tracing/trace.ts';

/** What comes of stanzas, and of everything else, that went wrong. */
export class Failures {
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #keyspace: Keyspace;

  constructor(metrics: Metrics, log: Log, keyspace: Keyspace) {
    this.#metrics = metrics;
    this.#log = log;
    this.#keyspace = keyspace;
  }

  /** The error that answers a stanza, or undefined where none may be sent. */
  readonly errorFor = (stanza: Stanza, error: unknown): Stanza | undefined => {
    const answer = errorFor(stanza, error, this.onFault);
    const root = currentTrace()?.root;
    // an error that the protocol asks for is an answer like others
    if (error instanceof StanzaError) root?.set('error.type', error.condition);
    else if (!(error instanceof Dropped)) root?.fail(nameOf(error));
    if (answer !== undefined && error instanceof StanzaError) {
      this.#metrics.stanzaErrors.with({ condition: error.condition }).add(1);
      tellRefusal(this.#log, stanza, error);
    }
    return answer;
  };

  /**
   * A message waits while the keyspace is away, and its sender with it. So does presence for all contacts: clients send it
   * once, and nobody would see them for as long as they are connected. Everything else is answered.
   */
  readonly passes = (stanza: Stanza, error: unknown): Promise<void> | undefined => {
    const waits = stanza.kind === 'message' || (stanza.kind === 'presence' && stanza.to === undefined);
    return waits && isAway(error) ? nextAttempt(this.#keyspace) : undefined;
  };

  readonly onFault = (error: unknown): void => {
    // no fault of the program, and it comes in crowds
    if (error instanceof KeyspaceError) {
      this.#log.flood('keyspace.failed', { message: error.message });
      return;
    }
    this.#metrics.errors.add(1);
    this.#log.error('node.fault', { error: error instanceof Error ? error : new Error(String(error)) });
  };
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
