/**
 * `up`: frames arrive. `down`: they do not, and those sent meanwhile are lost. `storeChanged`: what answers now is not
 * the store that was known (it was restarted, or a replica took over), so the newest writes may be missing from it.
 * After `down` comes `up`, and `storeChanged` just before it where that is so,
 * or, rarely, alone. Whoever hears `down` has to look again
 * at everything that it knows from frames.
 */
export type LinkEvent = 'up' | 'down' | 'storeChanged';

/** A frame for this name goes to all nodes, also to the one that sends it. No node is named so. */
export const EVERY_NODE = '*';

/** Frames between nodes: a doorbell, at most once, never the truth. The truth is in the keyspace. */
export interface Bus {
  /**
   * Sends a frame to one node, or to `EVERY_NODE`, in order with the commands of the keyspace that it was opened with
   * (of a cluster, in no order). Resolves to the number of listeners that it was handed to: 0 proves that nobody
   * listens, more proves nothing.
   */
  publish(node: string, frame: Buffer): Promise<number>;
  /** Frames for this node and those for all. The returned function ends it. */
  onPush(callback: (frame: Buffer) => void): () => void;
  onLink(callback: (event: LinkEvent) => void): () => void;
  /** Frames do not arrive, though the link seems to be up: lets go of it and makes another one. */
  reconnect(reason: string): void;
}
