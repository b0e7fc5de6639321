import type { LinkEvent } from '../bus.ts';
import type { Connection, Way } from './connection.ts';
import type { Request } from './request.ts';

/**
 * A connection for most requests, which brings the frames, and others for those that wait for another number of replicas:
 * Redis answers nothing on a connection on which somebody waits, and nobody else is to wait with them.
 *
 * Each finds out for itself that the store has changed, and that is told each time: until then it has written to the
 * former one, and what it wrote may be lost.
 */
export class StricterConnection implements Connection {
  readonly #usual: Connection;
  readonly #others: ReadonlyMap<number, Connection>;

  constructor(usual: Connection, others: ReadonlyMap<number, Connection>) {
    this.#usual = usual;
    this.#others = others;
  }

  /** The one for so many replicas. */
  #for(replicas: number | undefined): Connection {
    return (replicas === undefined ? undefined : this.#others.get(replicas)) ?? this.#usual;
  }

  get up(): boolean {
    return this.#usual.up;
  }

  get ways(): readonly Way[] {
    const others = [...this.#others].flatMap(([replicas, { ways }]) => ways.map(({ lane }) => ({ lane, replicas })));
    return [...this.#usual.ways, ...others];
  }

  submit(request: Request): void {
    this.#for(request.replicas).submit(request);
  }

  knows(lane: string, sha: string, replicas: number | undefined): boolean {
    return this.#for(replicas).knows(lane, sha, undefined);
  }

  onLink(listener: (event: LinkEvent) => void): () => void {
    const stops = [this.#usual.onLink(listener)];
    for (const other of this.#others.values()) {
      stops.push(other.onLink((event) => event === 'storeChanged' && listener(event)));
    }
    return () => {
      for (const stop of stops) stop();
    };
  }

  reconnect(reason: string): void {
    this.#usual.reconnect(reason);
  }

  async close(): Promise<void> {
    await Promise.all([this.#usual, ...this.#others.values()].map((connection) => connection.close()));
  }
}
