import type { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';
import { Events } from './events.ts';
import { Pending } from './pending.ts';
import { Pipeline } from './pipeline.ts';
import type { Route, Session } from './session/session.ts';

/** What is known while a stanza of another server runs through `fromServer`. */
export interface ServerContext {
  /** Whom the other server has proved to speak for: the domain of the stanza's `from`. */
  readonly domain: string;
}

/** What is known while a stanza for a local account runs through `toAccount`. */
export interface AccountContext {
  /** Whose account: a bare JID. */
  readonly account: Jid;
  /** The local session that sent the stanza, if one did. */
  readonly sender: Session | undefined;
  /** All sessions of the account. */
  readonly routes: readonly Route[];
  /** The sessions that will get the stanza (RFC 6121 §8.5); empty where it goes elsewhere. */
  readonly targets: readonly Route[];
  /** When they were chosen, as `performance.now()`. */
  readonly since: number;
}

/** Things that happened; every name here is all there are. */
export type EventMap = {
  'session.bound': [session: Session];
  'session.unbound': [session: Session, reason: string];
  /** Somebody is to have this session from the keyspace, in which all of it must be then; or none of it. */
  'session.wanted': [sessionId: string];
  /** The stream is lost, and the session waits for its client; then it goes on, or ends. */
  'session.detached': [session: Session, reason: string];
  'session.resumed': [session: Session];
  /** Another node takes the session over: what is held back for its client is to go into its journal now. */
  'session.leaving': [session: Session];
  /** Another node has the session, which is not over; here it is gone. */
  'session.moved': [session: Session];
  /** A session of another node is over, or gets no messages any more. */
  'session.gone-elsewhere': [account: Jid];
  /** Another node, by its id, is one of the cluster, and can be told things; or is none any more. */
  'node.joined': [id: string];
  'node.gone': [id: string];
  /** What answers from now on lacks the newest writes of the keyspace, and nobody has written to it yet. */
  'keyspace.changed': [];
  /** A node died, and its session with it: nobody but this one tells its contacts. */
  'session.lost': [jid: Jid, directed: readonly Jid[]];
  /** The client has acknowledged enough to be sent much again (`Management.full`). */
  'session.drained': [session: Session];
  /** A session that this process did not know, as its predecessor left it: detached. */
  'session.restored': [session: Session, directed: readonly Jid[]];
  'presence.available': [session: Session, first: boolean];
  'presence.unavailable': [session: Session];
  'roster.changed': [account: Jid, contact: Jid];
  'account.created': [account: Jid];
  'account.removed': [account: Jid];
  /** What is kept of the account was moved away, or to it: whatever is at hand of it is not true any more. */
  'account.moved': [account: Jid];
};

/** The extension points of the stanza's way: four pipelines and the events. */
export class Hooks {
  /** A stanza that one of our sessions just sent, valid, `from` stamped. */
  readonly fromClient: Pipeline<Stanza, Session>;
  /** A stanza that another server sent, valid, from a domain that it has proved to speak for, for one of ours. */
  readonly fromServer: Pipeline<Stanza, ServerContext>;
  /** A stanza for a local account, on the node that routes it. */
  readonly toAccount: Pipeline<Stanza, AccountContext>;
  /** A stanza about to be written to one session. */
  readonly toSession: Pipeline<Stanza, Session>;
  readonly events: Events<EventMap>;
  /** What stanzas and events have begun that is not done yet. */
  readonly pending = new Pending();

  constructor(onError: (error: unknown) => void) {
    this.fromClient = new Pipeline(onError);
    this.fromServer = new Pipeline(onError);
    this.toAccount = new Pipeline(onError);
    this.toSession = new Pipeline(onError);
    this.events = new Events(onError, this.pending);
  }
}
