import type { LinkEvent } from '../bus.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import type { KeyspaceObserver } from '../observer.ts';
import type { Trouble } from '../trouble.ts';
import type { Client } from './client.ts';
import { errorCode, toKeyspaceError } from './reply-error.ts';
import { appendTo, bytesOf, type CommandPipeline, type Request, settle } from './request.ts';
import { checkServer } from './server-check.ts';

export interface LinkOptions {
  trouble: Trouble;
  observer: KeyspaceObserver;
  deadline: number;
  maxPendingBytes: number;
  /** The channels whose frames are for this node. */
  channels: readonly string[];
  cluster: boolean;
  /** A connection failed, or what answers cannot be worked with. */
  failed(reason: KeyspaceError): void;
}

/** A turn that issues more than this is sent in several pieces. */
const PIECE_BYTES = 256 * 1024;

/** After READONLY the address may lead to another server, but that is tried only so often, in milliseconds. */
const SECOND_LOOK = 5000;

/** One logical connection: it carries the commands, in order, and the frames for this node. */
export class Link {
  readonly #client: Client;
  readonly #options: LinkOptions;
  readonly #listeners = new Set<(event: LinkEvent) => void>();
  readonly #probe: NodeJS.Timeout;
  #queue: Request[] = [];
  #queueBytes = 0;
  #pendingBytes = 0;
  #inFlight = new Set<Promise<void>>();
  #storeId: string | undefined;
  #looked = performance.now();
  #closing = false;
  /** Counts the connections that came up: what was known about an earlier one is not known about this one. */
  #epoch = 0;

  constructor(client: Client, options: LinkOptions) {
    this.#client = client;
    this.#options = options;
    client.on('ready', () => void this.#verify());
    client.on('close', () => this.#down(new KeyspaceError('away', 'The connection to Redis is lost.'), false));
    client.on('error', (error: Error) => this.#hear(error));
    this.#probe = setInterval(() => this.#ping(), Math.min(2000, options.deadline));
    this.#probe.unref();
  }

  get epoch(): number {
    return this.#epoch;
  }

  onLink(listener: (event: LinkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends a request with what else this turn of the event loop issues. Throws where it cannot be sent. */
  submit(request: Request): void {
    const { trouble, maxPendingBytes } = this.#options;
    if (trouble.reason) throw new KeyspaceError(trouble.reason.failure, trouble.reason.message);
    const bytes = bytesOf(request);
    if (this.#pendingBytes + bytes > maxPendingBytes) {
      throw new KeyspaceError('slow', 'Redis is slow, and too much waits for its answers already');
    }
    this.#pendingBytes += bytes;
    this.#queueBytes += bytes;
    if (this.#queue.length === 0) setImmediate(() => this.#flush());
    this.#queue.push(request);
    if (this.#queueBytes >= PIECE_BYTES) this.#flush();
  }

  /** What is issued already may or may not be done. */
  reconnect(reason: string): void {
    if (!this.#closing && this.#options.trouble.reason === undefined) this.#drop(new KeyspaceError('away', reason));
  }

  /** Waits for what was issued, then ends the connection. */
  async close(): Promise<void> {
    clearInterval(this.#probe);
    this.#flush();
    await Promise.all(this.#inFlight);
    this.#closing = true;
    const connected = ['connecting', 'connect', 'ready'].includes(this.#client.status);
    const ended = connected && new Promise<void>((resolve) => this.#client.once('end', resolve));
    this.#client.disconnect();
    await ended;
  }

  #flush(): void {
    const turn = this.#queue;
    if (turn.length === 0) return;
    const bytes = this.#queueBytes;
    this.#queue = [];
    this.#queueBytes = 0;
    const commands = turn.reduce((count, request) => count + request.commands.length, 0);
    this.#options.observer.flush?.(commands, bytes);
    const lanes = this.#options.cluster ? Map.groupBy(turn, (request) => request.lane).values() : [turn];
    for (const lane of lanes) {
      const done = this.#send(lane).finally(() => this.#inFlight.delete(done));
      this.#inFlight.add(done);
    }
  }

  async #send(requests: readonly Request[]): Promise<void> {
    const pipeline = this.#client.pipeline() as CommandPipeline;
    for (const request of requests) appendTo(pipeline, request);
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), this.#options.deadline);
    try {
      const results = await Promise.race([pipeline.exec(), late.promise]);
      if (results === 'late') {
        const error = new KeyspaceError('slow', 'Redis did not answer in time.', { outcome: 'unknown' });
        this.#refuse(requests, error);
        this.#drop(error);
      } else {
        let start = 0;
        for (const request of requests) start = settle(request, results ?? [], start);
        this.#lookAgain(results ?? []);
      }
    } catch (error) {
      this.#refuse(requests, error as Error);
    } finally {
      clearTimeout(timer);
      for (const request of requests) this.#pendingBytes -= bytesOf(request);
    }
  }

  #refuse(requests: readonly Request[], error: Error): void {
    for (const request of requests) request.answer(request.commands.map(() => error));
  }

  /** A connection came up: is it a server that we can work with, and which one? */
  async #verify(): Promise<void> {
    const { channels, trouble } = this.#options;
    try {
      const storeId = await checkServer(this.#client);
      if (channels.length > 0) await this.#client.subscribe(...channels);
      const changed = this.#storeId !== undefined && this.#storeId !== storeId;
      this.#storeId = storeId;
      this.#epoch += 1;
      trouble.set(undefined);
      if (changed) this.#tell('storeChanged');
      this.#tell('up');
    } catch (error) {
      this.#hear(error as Error);
      this.#client.disconnect(true);
    }
  }

  #hear(error: Error): void {
    const reason = error instanceof KeyspaceError ? error : toKeyspaceError('Redis', error, true, 'not-executed');
    this.#down(reason, true);
    this.#options.failed(reason);
  }

  /** Connects anew. */
  #drop(reason: KeyspaceError): void {
    this.#down(reason, true);
    this.#client.disconnect(true);
  }

  /** `telling`: this reason says more than the one that is known. */
  #down(reason: KeyspaceError, telling: boolean): void {
    if (this.#closing) return;
    const { trouble } = this.#options;
    const before = trouble.state;
    if (telling || before === 'up') trouble.set(reason);
    if (before === 'up') this.#tell('down');
  }

  #tell(event: LinkEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Finds out that a quiet connection is dead: what does not answer in time is dropped. */
  #ping(): void {
    if (this.#inFlight.size > 0 || this.#options.trouble.reason) return;
    this.submit({ commands: [{ name: 'PING', args: [] }], atomic: false, lane: '', answer: () => {} });
  }

  /** The primary may have become a replica, and what its address leads to may be the new primary. */
  #lookAgain(results: [error: Error | null, reply?: unknown][]): void {
    const refused = results.some(([error]) => error && errorCode(error) === 'READONLY');
    if (!refused || this.#options.cluster || performance.now() - this.#looked < SECOND_LOOK) return;
    this.#looked = performance.now();
    this.#drop(new KeyspaceError('away', 'This Redis takes no writes any more. Looking where its address leads now.'));
  }
}
