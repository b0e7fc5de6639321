import type { Jid } from '@parley/xmpp/jid';
import type { Presence } from '@parley/xmpp/stanza';
import type { StreamError } from '@parley/xmpp/stream-error';
import type { Route } from './session.ts';

/** What is known here of a session that another node owns; a new one takes its place whenever something changes. */
export interface RemoteSessionState {
  readonly jid: Jid;
  readonly sessionId: string;
  /** The id of the node that owns it. */
  readonly node: string;
  /** Counts the owners of a resumable session. */
  readonly epoch: number;
  /** Milliseconds since 1970; later than whatever had the resource before. */
  readonly boundAt: number;
  readonly presence: Presence | undefined;
  readonly priority: number;
  readonly interested: boolean;
  /** Milliseconds since 1970, Infinity while it wants no copies. */
  readonly carbonsSince: number;
  /** Since when it gets the messages for its account: milliseconds since 1970, Infinity while it does not. */
  readonly receivingSince: number;
  readonly detached: boolean;
  readonly resumable: boolean;
}

/** A bound resource whose owner is another node. */
export class RemoteSession implements Route, RemoteSessionState {
  readonly jid: Jid;
  readonly account: Jid;
  readonly sessionId: string;
  readonly node: string;
  readonly epoch: number;
  readonly boundAt: number;
  readonly presence: Presence | undefined;
  readonly priority: number;
  readonly interested: boolean;
  readonly carbonsSince: number;
  readonly receivingSince: number;
  readonly detached: boolean;
  readonly resumable: boolean;
  readonly #end: (session: RemoteSession, error: StreamError | undefined) => void;

  constructor(state: RemoteSessionState, end: (session: RemoteSession, error: StreamError | undefined) => void) {
    this.jid = state.jid;
    this.account = state.jid.bare;
    this.sessionId = state.sessionId;
    this.node = state.node;
    this.epoch = state.epoch;
    this.boundAt = state.boundAt;
    this.presence = state.presence;
    this.priority = state.priority;
    this.interested = state.interested;
    this.carbonsSince = state.carbonsSince;
    this.receivingSince = state.receivingSince;
    this.detached = state.detached;
    this.resumable = state.resumable;
    this.#end = end;
  }

  get available(): boolean {
    return this.presence !== undefined;
  }

  get carbons(): boolean {
    return this.carbonsSince !== Number.POSITIVE_INFINITY;
  }

  /** Has its owner end it. */
  end(error?: StreamError): void {
    this.#end(this, error);
  }
}
