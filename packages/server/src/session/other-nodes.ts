import type { Jid } from '@parley/xmpp/jid';
import type { RemoteSession } from './remote-session.ts';
import type { Session } from './session.ts';

/**
 * What nodes tell each other where the keyspace may have lost its newest writes: somebody is about to take a session as it is
 * there, or counts on what it has of an account. The bare JID of the account, and the id of the session, '' for all.
 */
export const SOUGHT = 'session-sought';

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
  /** Has the owner of a session leave it to this node. Resolves when it has, or, with false, when it does not answer. */
  release(owner: string, sid: string): Promise<boolean>;
  /** How often the keyspace has lost its newest writes, as far as this node knows. */
  readonly losses: number;
  /**
   * Where it may have lost some a moment ago: resolves when each node that lives has told it anew what it has of an account's
   * sessions, and of the one with this id. What the keyspace knows of them is not to be taken for true before.
   */
  told(account: Jid, sid?: string): Promise<void> | undefined;
  /**
   * Whether no other node that lives has a session of this one under a higher epoch: then it may be written anew into a
   * keyspace that has lost its newest writes.
   */
  isUndisputed(session: Session, epoch: number): Promise<boolean>;
}
