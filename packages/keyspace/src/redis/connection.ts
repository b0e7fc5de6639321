import type { LinkEvent } from '../bus.ts';
import type { Request } from './request.ts';

/** What decides which server a request goes to, and on which connection. */
export type Way = Pick<Request, 'lane' | 'replicas'>;

/** The way to Redis, be it one server or a cluster of them. */
export interface Connection {
  /** Commands go out and frames come in. */
  readonly up: boolean;
  /** How requests are to look that go to each server, on each connection to it. */
  readonly ways: readonly Way[];
  /** Sends a request with what else this turn of the event loop issues. Throws where it cannot be sent. */
  submit(request: Request): void;
  /** Whether the server that has these keys was sent this script in full; if not, it is now about to be. */
  knows(lane: string, sha: string, replicas: number | undefined): boolean;
  onLink(listener: (event: LinkEvent) => void): () => void;
  /** What is issued already may or may not be done. */
  reconnect(reason: string): void;
  /** Waits for what was issued, then ends the connection. */
  close(): Promise<void>;
}
