import type { Bus, LinkEvent } from '../bus.ts';
import type { Connection } from './connection.ts';
import type { RedisKeyspace } from './redis-keyspace.ts';
import { channelOf } from './script.ts';

/** Frames over Redis's channels, on the connection that carries the commands. */
export class RedisBus implements Bus {
  readonly #keyspace: RedisKeyspace;
  readonly #connection: Connection;
  readonly #command: 'PUBLISH' | 'SPUBLISH';
  readonly #listeners = new Set<(frame: Buffer) => void>();

  constructor(keyspace: RedisKeyspace, connection: Connection, cluster: boolean) {
    this.#keyspace = keyspace;
    this.#connection = connection;
    // each channel has its server in a cluster, which alone has to know of its frames
    this.#command = cluster ? 'SPUBLISH' : 'PUBLISH';
  }

  push(frame: Buffer): void {
    for (const listener of this.#listeners) listener(frame);
  }

  publish(node: string, frame: Buffer): Promise<number> {
    return this.#keyspace.publish(channelOf(node), frame, this.#command);
  }

  onPush(callback: (frame: Buffer) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  onLink(callback: (event: LinkEvent) => void): () => void {
    const stop = this.#connection.onLink(callback);
    let wanted = this.#connection.up;
    // Whoever comes late is told that the link is up already.
    queueMicrotask(() => wanted && callback('up'));
    return () => {
      wanted = false;
      stop();
    };
  }

  reconnect(reason: string): void {
    this.#connection.reconnect(reason);
  }
}
