import type { Bus, LinkEvent } from '../bus.ts';
import type { Client } from './client.ts';
import type { Link } from './link.ts';
import type { RedisKeyspace } from './redis-keyspace.ts';
import { channelOf } from './script.ts';

/** Frames over Redis's channels, on the connection that carries the commands. */
export class RedisBus implements Bus {
  readonly #keyspace: RedisKeyspace;
  readonly #link: Link;
  readonly #listeners = new Set<(frame: Buffer) => void>();

  constructor(client: Client, keyspace: RedisKeyspace, link: Link) {
    this.#keyspace = keyspace;
    this.#link = link;
    client.on('messageBuffer', (_channel: Buffer, frame: Buffer) => {
      for (const listener of this.#listeners) listener(frame);
    });
  }

  publish(node: string, frame: Buffer): Promise<number> {
    return this.#keyspace.publish(channelOf(node), frame);
  }

  onPush(callback: (frame: Buffer) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  onLink(callback: (event: LinkEvent) => void): () => void {
    const stop = this.#link.onLink(callback);
    let wanted = this.#keyspace.state === 'up';
    // Whoever comes late is told that the link is up already.
    queueMicrotask(() => wanted && callback('up'));
    return () => {
      wanted = false;
      stop();
    };
  }
}
