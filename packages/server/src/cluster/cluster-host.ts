import type { Bus } from '@parley/keyspace/bus';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';
import type { Log } from '../log.ts';
import type { Peers } from '../peers.ts';
import type { Awaitable } from '../pipeline.ts';
import type { ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { ChannelCounts } from './channel-counts.ts';
import type { FrameVersions } from './frame-versions.ts';
import type { Lease } from './lease.ts';

/** How this node takes part in a cluster. */
export interface ClusterLink {
  readonly bus: Bus;
  /** 16 hexadecimal digits, other ones at each start: what keyspace and bus know this node by. */
  readonly id: string;
  /** What operators know it by. */
  readonly name: string;
  /** Other versions of frames than this program's own: for tests of how versions run together. */
  readonly frames?: FrameVersions;
}

export interface ClusterHost extends ClusterLink {
  readonly keyspace: Keyspace;
  readonly sessions: Sessions;
  readonly store: ResumptionStore;
  readonly peers: Peers;
  readonly log: Log;
  readonly version: string;
  /** See `Member`. */
  readonly secretCheck?: string;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
  lease(): Lease;
  route(stanza: Stanza): Awaitable<void>;
  onLate(stanza: Stanza): Awaitable<void>;
  /** Another node takes a session over. */
  onLeaving(session: Session): void;
  /** A session that is not here any more is taken from the keyspace once this resolves. */
  onWanted(sid: string): Awaitable<void>;
  /** A session of another node is over, or gets no messages any more. */
  onGoneElsewhere(account: Jid): void;
  /** Another node is there: it can be told things. */
  onMemberJoined(id: string): void;
  onMemberGone(id: string): void;
  /** Takes over what nodes that are gone had. */
  reap(isGone: (owner: string, sid: string) => boolean): Promise<void>;
  /** The keyspace lacks its newest writes. Resolves when it has been told what modules know of them. */
  onStoreChanged(): Awaitable<void>;
  /** This node was declared dead: nothing is its own any more. */
  onFenced(): void;
  onFault(error: unknown): void;
}

/** What goes on between a node and the others. */
export interface ClusterTraffic extends ChannelCounts {
  /** Bytes that others have not acknowledged. */
  readonly waitingBytes: number;
  /** Stanzas of which it is not known yet that they were taken. */
  readonly waiting: number;
  /** Sessions that are looked for. */
  readonly sought: number;
  /** For how long the node has not heard itself. */
  readonly echoSeconds: number;
}
