import type { Message, Request, Stanza } from './stanza.ts';

/** Never, as the time of an event. */
export const NEVER = Number.POSITIVE_INFINITY;

/** A session as its client sees it: what it sent, what it got, and what it may rely on. */
export class ClientSession {
  readonly sid: string;
  readonly account: string;
  readonly resource: string;
  /** When it was bound. */
  readonly since: number;
  /** When it knew that it was available; from then on it must get what is for its account. */
  availableSince = NEVER;
  /** When it knew that it gets carbon copies. */
  carbonsSince = NEVER;
  /** Whether it last asked to be available. */
  wantsAvailable = false;
  /** Number of the last stanza that it sent. */
  k = 0;
  unacked: Stanza[] = [];
  /** The highest h that the server has told it. */
  h = 0;
  /** Stanzas that it has received: the h that it tells the server. */
  received = 0;
  /** The last h that it told the server. */
  told = 0;
  /** Its client has given it up. */
  ended = false;
  /** It has ended in the store, and a failover may have undone that: what came meanwhile went elsewhere. */
  interrupted = false;
  readonly messages = new Set<Message>();
  readonly carbons = new Set<Message>();
  readonly pushes = new Set<Request>();
  readonly answers = new Set<Message | Request>();
  /** The last message that came in its turn, for each stream and address that it was sent to. */
  readonly lastOf = new Map<string, number>();

  constructor(sid: string, account: string, resource: string, since: number) {
    this.sid = sid;
    this.account = account;
    this.resource = resource;
    this.since = since;
  }
}
