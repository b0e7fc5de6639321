import type { Jid } from '@parley/xmpp/jid';
import type { Presence } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { StreamError } from '@parley/xmpp/stream-error';
import { priorityOf } from '../session/presence-priority.ts';
import { RemoteSession, type RemoteSessionState } from '../session/remote-session.ts';
import type { ResumptionRecord } from '../session/resumption/resumption-record.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { AnnouncedSession } from './announced-session.ts';

export interface SessionTableHost {
  readonly sessions: Sessions;
  /** Has its owner end a session. */
  end(session: RemoteSession, error: StreamError | undefined): void;
  /** A session of another node is over, or gets no messages any more. */
  onGone(account: Jid): void;
  /** Another node has announced a session. */
  onAnnounced?(sid: string, epoch: number): void;
  /** A session has come to another node. */
  onCame(session: RemoteSession): void;
}

const presenceOf = (text: string) => stanzaFromText(Buffer.from(text)) as Presence;

/** What other nodes announce of their sessions, as this node's look-ups find it. */
export class SessionTable {
  readonly #host: SessionTableHost;

  constructor(host: SessionTableHost) {
    this.#host = host;
  }

  put(from: string, announced: AnnouncedSession): void {
    const { sessions } = this.#host;
    const { sid, epoch, presence, jid, boundAt, priority, interested, carbonsSince, receivingSince } = announced;
    const own = sessions.owned({ sessionId: sid });
    if (own !== undefined) {
      if (epoch > (own.backlog?.epoch ?? 0)) own.moved('another node has it');
      else return;
    }
    const known = sessions.remote(sid);
    if (known !== undefined && known.node !== from && known.epoch >= epoch) return;
    this.#host.onAnnounced?.(sid, epoch);
    const { detached, resumable } = announced;
    const parsed = presence === undefined ? undefined : presenceOf(presence);
    const switches = { interested, carbonsSince, receivingSince, detached, resumable };
    this.show({ jid, sessionId: sid, node: from, epoch, boundAt, presence: parsed, priority, ...switches });
  }

  /** Another node has this session, as far as is known. */
  show(state: RemoteSessionState): void {
    const { sessions, end, onGone, onCame } = this.#host;
    if (sessions.owned(state) !== undefined) return; // it has come here since that was true
    const known = sessions.remote(state.sessionId);
    const session = new RemoteSession(state, end);
    sessions.putRemote(session);
    const got = known !== undefined && known.receivingSince !== Number.POSITIVE_INFINITY;
    if (got && state.receivingSince === Number.POSITIVE_INFINITY) onGone(session.account);
    if (known?.node !== state.node) onCame(session);
  }

  /**
   * A session has just left this node for another, or nobody knows yet where it is; whoever has it tells so itself, with a
   * higher epoch.
   */
  left(session: Session, node = ''): void {
    const { jid, sessionId, boundAt, backlog, presence, priority, interested, carbonsSince, receivingSince } = session;
    const epoch = backlog?.epoch ?? 0;
    const switches = { interested, carbonsSince, receivingSince, detached: true, resumable: true };
    this.show({ jid, sessionId, node, epoch, boundAt, presence, priority, ...switches });
  }

  /** What the keyspace knows of a session whose owner has not announced it here. */
  recorded(jid: Jid, record: ResumptionRecord, node: string): void {
    const { sid, epoch, boundAt, maxSeconds, carbons, interested, receiving } = record;
    // it was announced by a later owner while this was read
    if ((this.#host.sessions.remote(sid)?.epoch ?? 0) > epoch) return;
    const presence = record.presence === undefined ? undefined : presenceOf(record.presence);
    const priority = presence === undefined ? 0 : priorityOf(presence);
    const since = (wanted: boolean) => (wanted ? Date.now() : Number.POSITIVE_INFINITY);
    const switches = { interested, carbonsSince: since(carbons), receivingSince: since(receiving) };
    const resumable = maxSeconds > 0;
    const rest = { epoch: resumable ? epoch : 0, detached: false, resumable };
    this.show({ jid, sessionId: sid, node, boundAt, presence, priority, ...switches, ...rest });
  }

  /** The session is over. */
  over(sid: string): void {
    const known = this.#host.sessions.remote(sid);
    if (known !== undefined) this.#remove(known);
  }

  remove(from: string, sid: string): void {
    const known = this.#host.sessions.remote(sid);
    if (known?.node === from) this.#remove(known);
  }

  reset(from: string, announced: readonly AnnouncedSession[]): void {
    const ids = new Set<string>();
    for (const session of announced) {
      ids.add(session.sid);
      this.put(from, session);
    }
    this.#removeAll((known) => known.node === from && !ids.has(known.sessionId));
  }

  /** A node is gone: what can be resumed will be, somewhere else. */
  onNodeGone(node: string): RemoteSession[] {
    return this.#removeAll((known) => known.node === node && !known.resumable);
  }

  /** Somebody has taken over what can be resumed of a node that is gone. */
  onReaped(node: string): void {
    this.#removeAll((known) => known.node === node);
  }

  #removeAll(isOver: (session: RemoteSession) => boolean): RemoteSession[] {
    const over = [...this.#host.sessions.allRemote].filter(isOver);
    for (const session of over) this.#remove(session);
    return over;
  }

  #remove(session: RemoteSession): void {
    this.#host.sessions.removeRemote(session);
    this.#host.onGone(session.account);
  }
}
