import type { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';
import { Backlog, type BacklogHost, type Predecessor } from '../session/backlog.ts';
import { blankRecord, type ResumptionRecord } from '../session/resumption/resumption-record.ts';
import { Session, type SessionHost } from '../session/session.ts';
import type { Stream } from '../stream/stream.ts';

export interface QueueSessionHost extends Pick<BacklogHost, 'store' | 'again' | 'onFault'> {
  readonly session: SessionHost;
  /** In place of a client's stream. */
  readonly stream: Stream;
  /** See `OtherNodes`. */
  isUndisputed(session: QueueSession, epoch: number): Promise<boolean>;
  /** See `Session`. */
  mayMiss(session: QueueSession, stanza: Stanza): boolean;
  onReady(session: QueueSession): void;
  /** Another node has it, or nobody. */
  onFenced(session: QueueSession): void;
  /** Lets go of its stream; the other server may keep it for whoever comes next. */
  release(session: QueueSession): void;
}

/** More senders speak to one server than to one client. */
const MOST_ORIGINS = { taken: 4096, trimmed: 512 };

/** A queue is there until it is empty: how long it may wait, stanzas say themselves. */
const SECONDS = 86_400;

/**
 * What goes from one of our domains to another server, as the cluster and the keyspace see it: a session of that domain,
 * whose resource is ours. One node owns it, and it has a journal.
 */
export class QueueSession extends Session {
  readonly #host: QueueSessionHost;
  readonly #backlog: Backlog;
  /** The stream that the other server keeps for a while, whose numbers are those of the journal (XEP-0198). */
  peerStream: string | undefined;

  constructor(
    jid: Jid,
    host: QueueSessionHost,
    sid?: string,
    from?: Predecessor & { readonly record: ResumptionRecord },
  ) {
    super(jid, host.stream, host.session, sid);
    this.#host = host;
    this.peerStream = from?.record.peerStream;
    if (from !== undefined) this.boundAt = from.record.boundAt;
    this.#backlog = new Backlog(
      this,
      {
        store: host.store,
        again: () => host.again(),
        isUndisputed: (epoch) => host.isUndisputed(this, epoch),
        onFault: (error) => host.onFault(error),
        onReady: () => host.onReady(this),
        onFenced: () => host.onFenced(this),
        handled: () => 0,
        record: (epoch) => this.record(epoch),
      },
      SECONDS,
      from,
      MOST_ORIGINS,
    );
    this.#backlog.attached = false;
  }

  override get backlog(): Backlog {
    return this.#backlog;
  }

  /** It takes whatever is for it, always. */
  override get available(): boolean {
    return true;
  }

  override mayMiss(stanza: Stanza): boolean {
    return this.#host.mayMiss(this, stanza);
  }

  record(epoch: number): ResumptionRecord {
    const { boundAt, peerStream } = this;
    return blankRecord({
      resource: this.jid.resource,
      sid: this.sessionId,
      epoch,
      maxSeconds: SECONDS,
      boundAt,
      peerStream,
    });
  }

  override release(): void {
    this.#host.release(this);
  }

  override end(): void {
    this.finish('it ends');
  }

  override giveUp(reason: string): void {
    this.finish(reason);
  }
}
