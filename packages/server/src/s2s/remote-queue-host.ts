import type { Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { AttemptsHost } from './attempts.ts';
import type { EstablishedStream } from './outgoing-stream.ts';
import type { QueueSession } from './queue-session.ts';
import type { Together } from './waiting-count.ts';

export interface QueueSettings {
  /** How long a stanza waits. */
  readonly waitMs: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  readonly idleMs: number;
  /** How long the other side may read nothing of what waits for it. */
  readonly patienceMs: number;
}

export interface RemoteQueueHost extends Pick<AttemptsHost, 'now' | 'random' | 'onFailure'> {
  readonly settings: () => QueueSettings;
  /** What waits in all queues. */
  readonly together: Together;
  /** `previous`: the stream before, which the other side may have kept. */
  open(previous: string | undefined): Promise<EstablishedStream>;
  /**
   * Answers the sender of a stanza that does not go out. Resolves when the answer is where it cannot get lost; whoever
   * answers the same once more says so by the same number.
   */
  answer(stanza: Stanza, error: unknown, number: number): Awaitable<void>;
  onOpen(stream: EstablishedStream): void;
  onEnd(stream: EstablishedStream, reason: string): void;
  /** What the cluster knows of the queue is another now. */
  onChange(session: QueueSession): void;
  onFault(error: unknown): void;
}
