import type { Redis } from 'ioredis';
import type { LinkEvent } from '../bus.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import type { KeyspaceObserver } from '../observer.ts';
import type { Trouble } from '../trouble.ts';
import { sendBurst } from './burst.ts';
import { retryDelay } from './client.ts';
import { confirmation, doubtOf, writes } from './confirmation.ts';
import type { Connection, Way } from './connection.ts';
import { errorCode, toKeyspaceError } from './reply-error.ts';
import { appendTo, bytesOf, type Request, settle } from './request.ts';
import { checkServer } from './server-check.ts';
import type { WireCommand } from './wire.ts';

export interface LinkOptions {
  trouble: Trouble;
  observer: KeyspaceObserver;
  deadline: number;
  maxPendingBytes: number;
  /** The channels whose frames are for this node, and who gets them. */
  channels: readonly string[];
  push(frame: Buffer): void;
  /** Nothing counts as done before so many replicas have it, too; 0 for not waiting for them. */
  replicas: number;
  /** A connection failed, or what answers cannot be worked with. */
  failed(reason: KeyspaceError): void;
  /** Of a server in a cluster. */
  shard?: {
    /** A tag whose keys it has. */
    tag(): string;
    /** It does not have one of the channels any more. */
    moved(): void;
  };
}

/** A turn that issues more than this is sent in several pieces. */
const PIECE_BYTES = 256 * 1024;

/** After READONLY the address may lead to another server, but that is tried only so often, in milliseconds. */
const SECOND_LOOK = 5000;

/** The cluster will say where else, or when. */
const MOVED = new Set(['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN']);

const REFUSED_WRITES = new Set(['OOM', 'READONLY', 'NOREPLICAS', 'MISCONF', 'CLUSTERDOWN']);

/** Changes nothing, and Redis refuses it just where it refuses whatever takes more memory. */
const harmlessWrite = (tag: string): WireCommand => ({ name: 'SETRANGE', args: [`{${tag}}nothing`, '0', ''] });

/** Undefined where an error does not say that Redis takes no writes. */
const refusalOf = (error: Error): KeyspaceError | undefined =>
  REFUSED_WRITES.has(errorCode(error) ?? '') ? toKeyspaceError('Redis', error, false, 'not-executed') : undefined;

/** One logical connection to one server: it carries the commands, in order, and the frames for this node. */
export class Link implements Connection {
  readonly #client: Redis;
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
  /** How often in a row the client has given up, and when it is told to begin anew. */
  #givenUp = 0;
  #again: NodeJS.Timeout | undefined;
  /** What keeps commands from being sent at all; undefined while there is a good connection. */
  #cut: KeyspaceError | undefined;
  /** Scripts that this connection has sent in full. */
  readonly #scripts = new Set<string>();
  #channels: readonly string[];
  /** Those of them that this connection hears, and those that it is subscribed to beside. */
  readonly #heard = new Set<string>();
  readonly #subscribed = new Set<string>();

  constructor(client: Redis, options: LinkOptions) {
    this.#client = client;
    this.#options = options;
    this.#channels = options.channels;
    this.#cut = options.trouble.reason;
    for (const event of ['messageBuffer', 'smessageBuffer']) {
      client.on(event, (_channel: Buffer, frame: Buffer) => options.push(frame));
    }
    client.on('moved', () => {
      this.#heard.clear();
      options.shard?.moved();
    });
    client.on('ready', () => void this.#verify());
    client.on('close', () => this.#down(new KeyspaceError('away', 'The connection to Redis is lost.'), false));
    client.on('error', (error: Error) => this.#hear(error));
    client.on('end', () => this.#beginAnew());
    this.#probe = setInterval(() => this.#ping(), Math.min(2000, options.deadline));
    this.#probe.unref();
  }

  get up(): boolean {
    return this.#cut === undefined;
  }

  readonly ways: readonly Way[] = [{ lane: '' }];

  /** What tells this run of the server from every other; undefined until it is known. */
  get storeId(): string | undefined {
    return this.#storeId;
  }

  /** Frames come from all channels that they are to come from. */
  get hears(): boolean {
    return this.#channels.every((channel) => this.#heard.has(channel));
  }

  /** Why it can do less than it should. */
  get trouble(): KeyspaceError | undefined {
    return this.#options.trouble.reason;
  }

  /** Hears these channels from now on, and no others. Resolves when it does, or the connection is lost or moved. */
  async hear(channels: readonly string[]): Promise<void> {
    this.#channels = channels;
    if (!this.up) return;
    try {
      await this.#subscribe();
    } catch (error) {
      this.#hear(error as Error);
      this.#client.disconnect(true);
    }
  }

  knows(_lane: string, sha: string): boolean {
    if (this.#scripts.has(sha)) return true;
    this.#scripts.add(sha);
    return false;
  }

  onLink(listener: (event: LinkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  submit(request: Request): void {
    const { maxPendingBytes } = this.#options;
    if (this.#cut) throw new KeyspaceError(this.#cut.failure, this.#cut.message);
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

  reconnect(reason: string): void {
    if (!this.#closing && this.#options.trouble.reason === undefined) this.#drop(new KeyspaceError('away', reason));
  }

  /**
   * The client gives up for good where it is told of a failover, or to disconnect, while it asks a sentinel where the primary is.
   */
  #beginAnew(): void {
    if (this.#closing) return;
    this.#again = setTimeout(() => this.#client.connect().catch(() => {}), retryDelay(++this.#givenUp)); // it says why
  }

  async close(): Promise<void> {
    clearInterval(this.#probe);
    this.#flush();
    await Promise.all(this.#inFlight);
    this.#closing = true;
    clearTimeout(this.#again);
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
    const done = this.#send(turn).finally(() => this.#inFlight.delete(done));
    this.#inFlight.add(done);
  }

  async #send(requests: readonly Request[]): Promise<void> {
    const commands: WireCommand[] = [];
    for (const request of requests) appendTo(commands, request);
    const { deadline } = this.#options;
    const replicas = requests.some(writes) ? this.#options.replicas : 0;
    // the answers of all come together, so that nothing is told before this is
    if (replicas > 0) commands.push(confirmation(replicas, deadline / 2));
    const late = Promise.withResolvers<'late'>();
    // of a process that stood still the answer may have come: it is read before what the timer has put off
    const timer = setTimeout(() => setImmediate(() => late.resolve('late')), deadline);
    try {
      const replies = await Promise.race([sendBurst(this.#client, commands), late.promise]);
      if (replies === 'late') {
        const error = new KeyspaceError('slow', 'Redis did not answer in time.', { outcome: 'unknown' });
        this.#refuse(requests, error);
        this.#drop(error);
        return;
      }
      const doubt = replicas > 0 ? doubtOf(requests, replies, replicas) : undefined;
      if (doubt) {
        this.#refuse(requests, doubt);
        if (!this.#cut) this.#options.trouble.set(doubt);
      } else {
        let start = 0;
        for (const request of requests) start = settle(request, replies, start);
        this.#look(replies);
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
    const { trouble } = this.#options;
    try {
      const storeId = await checkServer(this.#client);
      this.#heard.clear();
      this.#subscribed.clear();
      await this.#subscribe();
      const refusal = await this.#refusal();
      const changed = this.#storeId !== undefined && this.#storeId !== storeId;
      this.#storeId = storeId;
      this.#givenUp = 0;
      this.#scripts.clear();
      this.#cut = undefined;
      trouble.set(refusal);
      if (changed) this.#tell('storeChanged');
      this.#tell('up');
    } catch (error) {
      this.#hear(error as Error);
      this.#client.disconnect(true);
    }
  }

  /**
   * Frames come by channels of the server in a cluster that has their slots, where the others need not hear of them; what
   * operations publish is for no slot in particular, and comes to all servers.
   */
  async #subscribe(): Promise<void> {
    const { shard } = this.#options;
    for (const channel of this.#subscribed) {
      if (this.#channels.includes(channel)) continue;
      this.#subscribed.delete(channel);
      this.#heard.delete(channel);
      await this.#client.unsubscribe(channel);
    }
    for (const channel of this.#channels) {
      if (this.#heard.has(channel) || (shard && !(await this.#subscribeToShard(channel)))) continue;
      await this.#client.subscribe(channel);
      this.#subscribed.add(channel);
      this.#heard.add(channel);
    }
  }

  /** False where the server does not have the channel. */
  async #subscribeToShard(channel: string): Promise<boolean> {
    try {
      await this.#client.ssubscribe(channel);
      return true;
    } catch (error) {
      if (MOVED.has(errorCode(error as Error) ?? '')) return false;
      throw error;
    }
  }

  get #harmlessWrite(): WireCommand {
    return harmlessWrite(this.#options.shard?.tag() ?? 'global');
  }

  /** Why a server that answers takes no writes; undefined where it does. */
  async #refusal(): Promise<KeyspaceError | undefined> {
    const { name, args } = this.#harmlessWrite;
    try {
      await this.#client.call(name, ...args);
    } catch (error) {
      return refusalOf(error as Error);
    }
    return undefined;
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
    const before = this.#cut;
    if (!telling && before !== undefined) return;
    this.#cut = reason;
    this.#options.trouble.set(reason);
    if (before === undefined) this.#tell('down');
  }

  #tell(event: LinkEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Finds out that a quiet connection is dead (what does not answer in time is dropped), and that writes work again. */
  #ping(): void {
    if (this.#cut) return;
    const { trouble } = this.#options;
    if (trouble.reason) this.#submitOwn(this.#harmlessWrite, (failed) => failed || this.#cut || trouble.set(undefined));
    else if (this.#inFlight.size === 0) this.#submitOwn({ name: 'PING', args: [] }, () => {});
  }

  #submitOwn(command: WireCommand, answer: (failed: boolean) => void): void {
    try {
      const hear = ([reply]: readonly unknown[]) => answer(reply instanceof Error);
      this.submit({ commands: [command], atomic: false, lane: '', answer: hear });
    } catch {
      // too much waits already
    }
  }

  /** Whether Redis takes no writes: all commands are sent all the same, and what it says to them tells when it is over. */
  #look(replies: readonly unknown[]): void {
    const refused = replies.find((reply): reply is Error => reply instanceof Error && refusalOf(reply) !== undefined);
    if (!refused || this.#cut) return;
    this.#options.trouble.set(refusalOf(refused));
    // the primary may have become a replica, and what its address leads to may be the new primary
    if (errorCode(refused) !== 'READONLY') return;
    if (performance.now() - this.#looked < SECOND_LOOK) return;
    this.#looked = performance.now();
    this.#drop(new KeyspaceError('away', 'This Redis takes no writes any more. Looking where its address leads now.'));
  }
}
