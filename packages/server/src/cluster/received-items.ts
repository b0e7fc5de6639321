import type { Log } from '../log.ts';
import type { Peers } from '../peers.ts';
import type { Awaitable } from '../pipeline.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { Announcements } from './announcements.ts';
import type { ChannelCounts } from './channel-counts.ts';
import type { InboundDeliveries } from './inbound-deliveries.ts';
import { decodeAnswers, decodeNotice, decodeSession, ITEM, type SessionItem } from './items.ts';
import type { Questions } from './questions.ts';
import type { RemoteDelivery } from './remote-delivery.ts';
import type { SessionMoves } from './session-moves.ts';
import type { SessionRequests } from './session-requests.ts';
import { ToldTraces } from './told-traces.ts';

export interface ReceivedItemsHost {
  /** The id of this node. */
  readonly id: string;
  readonly sessions: Sessions;
  readonly peers: Peers;
  readonly log: Log;
  readonly counts: ChannelCounts;
  readonly announcements: Announcements;
  readonly inbound: InboundDeliveries;
  readonly delivery: RemoteDelivery;
  readonly questions: Questions;
  readonly requests: SessionRequests;
  readonly moves: SessionMoves;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** See `ClusterHost`. */
  onWanted(sid: string): Awaitable<void>;
  onFault(error: unknown): void;
}

/** What other nodes say over their channels, each thing to whom it concerns. */
export class ReceivedItems {
  readonly #host: ReceivedItemsHost;
  /** Of notices. */
  readonly #traced: ToldTraces;

  constructor(host: ReceivedItemsHost) {
    this.#host = host;
    this.#traced = new ToldTraces(host.tracing);
  }

  receive(from: string, item: Buffer): void {
    try {
      this.#dispatch(from, item);
    } catch (error) {
      this.#host.counts.damaged++;
      this.#host.log.error('cluster.damaged', { from, error: error as Error });
    }
  }

  #dispatch(from: string, item: Buffer): void {
    const { id: self, peers, inbound, delivery, questions, requests, announcements, onFault } = this.#host;
    switch (item[0]) {
      case ITEM.deliver:
        inbound.receive(from, item);
        return;
      case ITEM.trace:
        inbound.traced(from, item);
        return;
      case ITEM.traceNotice:
        this.#traced.told(from, item);
        return;
      case ITEM.answer:
        for (const { id, done } of decodeAnswers(item)) {
          if (!questions.onAnswer(from, id, done)) delivery.onAnswer(from, id, done);
        }
        return;
      case ITEM.notice: {
        const { id, subject, text } = decodeNotice(item);
        const receive = () => peers.receive(subject, text);
        const trace = this.#traced.join(from);
        trace?.root.set('parley.notice', subject);
        const told = Promise.resolve(trace === undefined ? receive() : trace.run(receive)).catch((error) => {
          onFault(error);
          return true;
        });
        void told.then((yes) => inbound.answer(from, id, yes));
        return;
      }
      case ITEM.release:
        this.#release(from, decodeSession(item)).catch(onFault);
        return;
      case ITEM.acknowledged:
        inbound.acknowledged(from, item);
        return;
      case ITEM.evict:
        requests.evict(self, decodeSession(item).sid);
        return;
      case ITEM.announcement:
        announcements.onItem(from, item.subarray(1));
        return;
      default: // a newer node says something that this one does not know
    }
  }

  /** Resolves when the keyspace has all of a session that this node has no more. */
  async wanted(sid: string): Promise<void> {
    await this.#host.moves.left(sid);
    await this.#host.onWanted(sid);
  }

  async #release(from: string, { id, sid }: SessionItem): Promise<void> {
    const { sessions, moves, inbound } = this.#host;
    const session = sessions.owned({ sessionId: sid });
    if (session === undefined) await this.wanted(sid);
    else await moves.leave(session, from, 'it is resumed on another node');
    inbound.answer(from, id, true);
  }
}
