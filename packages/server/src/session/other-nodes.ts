import type { Jid } from '@parley/xmpp/jid';
import type { RemoteSession } from './remote-session.ts';
import type { Session } from './session.ts';

/** What has to do with the sessions of other nodes; a node that is alone has none of it. */
export interface OtherNodes {
  /** There are none at the moment. */
  readonly alone: boolean;
  /** Whether the node with this id is there, be it this one. */
  isAlive(owner: string): boolean;
  /**
   * Undefined where this node is surely one of the cluster, so that it may take sessions: whoever was declared dead would
   * take them from those who live, and nobody would take them over from it. Else resolves once it is known to be one, and
   * rejects with a KeyspaceError where it is not.
   */
  confirmed(): Promise<void> | undefined;
  /** A session of this node is over: nobody has it. Resolves when nobody finds it in the keyspace. */
  ended(session: Session): Promise<void>;
  /** Resolves when others can read in the keyspace what the session is now. */
  recorded(session: Session): Promise<void>;
  /** Looks in the keyspace which sessions an account has, where others know more than this node. */
  refresh(account: Jid): Promise<void>;
  /** Whether a session has acknowledged everything that it got by then (milliseconds since 1970). */
  hasAcknowledged(session: RemoteSession, at: number): Promise<boolean>;
  /**
   * Has the owner of a session leave it to this node. Resolves when it has, or, with false, when it does not answer; where
   * the keyspace has lost writes a moment ago, and so its owner alone has all of it, when it is gone.
   */
  release(owner: string, sid: string): Promise<boolean>;
  /** How often the keyspace has lost its newest writes, as far as this node knows. */
  readonly losses: number;
  /** It has a moment ago, and others may not have told it anew yet what they have. */
  readonly unsettled: boolean;
}
