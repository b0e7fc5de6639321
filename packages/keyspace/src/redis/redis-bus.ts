import type { Bus, LinkEvent } from '../bus.ts';
import type { Client } from './client.ts';
import type { Link } from './link.ts';
import type { RedisKeyspace } from './redis-keyspace.ts';
import { channelOf } from './script.ts';

/** Frames over Redis's channels, on the connection that carries the commands. */
export class RedisBus implements Bus {
  readonly #keyspace: RedisKeyspace;
  readonly #link: Link;
  readonly #cluster: boolean;
  readonly #listeners = new Set<(frame: Buffer) => void>();

  constructor(client: Client, keyspace: RedisKeyspace, link: Link, cluster: boolean) {
    this.#keyspace = keyspace;
    this.#link = link;
    this.#cluster = cluster;
    client.on('messageBuffer', (_channel: Buffer, frame: Buffer) => {
      for (const listener of this.#listeners) listener(frame);
    });
  }

  async publish(node: string, frame: Buffer): Promise<number> {
    const listeners = await this.#keyspace.publish(channelOf(node), frame);
    // A node of a cluster counts its own listeners alone, so none there does not prove that there are none.
    return this.#cluster ? Math.max(1, listeners) : listeners;
  }

  onPush(callback: (frame: Buffer) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  onLink(callback: (event: LinkEvent) => void): () => void {
    const stop = this.#link.onLink(callback);
    let wanted = this.#link.up;
    // Whoever comes late is told that the link is up already.
    queueMicrotask(() => wanted && callback('up'));
    return () => {
      wanted = false;
      stop();
    };
  }

  reconnect(reason: string): void {
    this.#link.reconnect(reason);
  }
}
