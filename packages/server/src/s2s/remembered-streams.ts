import { randomBytes } from 'node:crypto';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { LimitName } from '@parley/metrics/catalogue';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { FederationConfiguration } from '../config/federation.ts';
import type { Peers } from '../peers.ts';
import { nextAttempt } from '../session/attempts.ts';
import { ResumptionIds } from '../session/resumption-ids.ts';
import type { Stream } from '../stream/stream.ts';
import { within } from '../within.ts';
import { RememberedStream } from './remembered-stream.ts';
import { type StreamRecord, StreamStore } from './stream-store.ts';

export interface RememberedStreamsOptions {
  readonly keyspace: Keyspace;
  /** The id of this node. */
  readonly owner: string;
  readonly config: () => FederationConfiguration['resumption'];
  readonly secret: (purpose: string) => Buffer;
  readonly peers: Pick<Peers, 'ask' | 'on'>;
  /** Whether another node is there. */
  isAlive(node: string): boolean;
  pending(work: Promise<unknown>): void;
  onFault(error: unknown): void;
}

/** Where a stream was that is resumed: on this node, on another one, or on one that is gone. */
export interface Resumed {
  readonly stream: RememberedStream;
  readonly from: 'here' | 'elsewhere' | 'gone';
}

/** What another node is asked. */
const WANTED = 'incoming-stream-wanted';
/** It is taken from a node that has not let go of it in this time. */
const RELEASE_MS = 5000;
const TICK_MS = 1000;

/** The streams of other servers that can be resumed (XEP-0198), while they are open and for a time thereafter. */
export class RememberedStreams implements Disposable {
  readonly #options: RememberedStreamsOptions;
  readonly #store: StreamStore;
  readonly #ids: ResumptionIds;
  readonly #all = new Map<string, RememberedStream>();
  /** Of each domain at the other end, how many. */
  readonly #perDomain = new Map<string, number>();
  /** The end of what is done about each: one thing at a time. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #ticking: NodeJS.Timeout | undefined;

  constructor(options: RememberedStreamsOptions) {
    this.#options = options;
    this.#store = new StreamStore(options.keyspace, options.owner);
    this.#ids = new ResumptionIds(options.secret('ids of streams'));
    options.peers.on(WANTED, (sid) => this.#inTurn(sid, async () => this.#all.get(sid)?.release()));
  }

  get size(): number {
    return this.#all.size;
  }

  /** What the server at the other end names it by: it is of use on a stream between these two domains alone. */
  idOf({ domain, identity }: Stream, sid: string): string {
    return this.#ids.idOf(`${identity} ${domain}`, sid);
  }

  /**
   * A stream can be resumed from now on; `asked` is for how many seconds the other side wants that. Undefined where it
   * cannot be.
   */
  async begin(stream: Stream, asked: number): Promise<RememberedStream | undefined> {
    const { config } = this.#options;
    const limit = this.#limit(stream);
    if (limit !== undefined) {
      stream.host.onLimit(stream, limit);
      return undefined;
    }
    const longest = config().seconds;
    const seconds = asked > 0 ? Math.min(Math.ceil(asked), longest) : longest;
    if (seconds === 0) return undefined;
    const record = { sid: randomBytes(8).toString('hex'), epoch: 1, handled: 0, seconds };
    const remembered = this.#add(record, stream);
    try {
      if (await this.#store.keep(record, true)) {
        if (stream.closed) remembered.forget();
        return remembered;
      }
    } catch (error) {
      if (!(error instanceof KeyspaceError)) throw error;
    }
    this.#forget(remembered); // what the keyspace may have of it goes by itself
    return undefined;
  }

  #limit({ identity }: Stream): LimitName | undefined {
    const { maxStreams, maxStreamsPerDomain } = this.#options.config();
    if (this.#all.size >= maxStreams) return 'federation-resumable';
    const count = this.#perDomain.get(String(identity)) ?? 0;
    return count >= maxStreamsPerDomain ? 'federation-resumable-domain' : undefined;
  }

  /**
   * Has a connection go on with an earlier stream, wherever that was. Undefined where there is none of this id between its
   * domains. Throws a StreamError, after which the other side may try again, where nobody knows just now, and one for good
   * where it counts stanzas that it was never sent.
   */
  async resume(stream: Stream, id: string, h: number): Promise<Resumed | undefined> {
    const sid = this.#ids.read(`${stream.identity} ${stream.domain}`, id);
    if (sid === undefined) return undefined;
    try {
      return await this.#inTurn(sid, () => this.#fetch(stream, sid, h));
    } catch (error) {
      if (!(error instanceof KeyspaceError)) throw error;
      throw new StreamError('resource-constraint', 'Your stream cannot be looked for just now: try again.');
    }
  }

  async #fetch(stream: Stream, sid: string, h: number): Promise<Resumed | undefined> {
    const own = this.#all.get(sid);
    const owner = own === undefined ? await this.#store.ownerOf(sid) : this.#store.owner;
    if (owner === undefined) return undefined;
    checkCount(h);
    const from = owner === this.#store.owner ? 'here' : this.#options.isAlive(owner) ? 'elsewhere' : 'gone';
    await own?.release();
    // its node knows what it has done since it told the keyspace
    if (from === 'elsewhere') await within(this.#options.peers.ask(owner, WANTED, sid), RELEASE_MS);
    if (stream.closed) return undefined; // it is left for another attempt
    const claimed = await this.#store.claim(sid);
    if (claimed === undefined) return undefined;
    return { stream: this.#add(claimed, stream), from };
  }

  #add(record: StreamRecord, stream: Stream): RememberedStream {
    const remote = String(stream.identity);
    const { keyspace, pending, onFault } = this.#options;
    const remembered = new RememberedStream(record, remote, stream, {
      store: this.#store,
      again: () => nextAttempt(keyspace),
      pending,
      onOver: (over) => this.#remove(over),
      onFault,
    });
    this.#all.set(record.sid, remembered);
    this.#perDomain.set(remote, (this.#perDomain.get(remote) ?? 0) + 1);
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS).unref();
    return remembered;
  }

  #remove(remembered: RememberedStream): void {
    if (this.#all.get(remembered.sid) !== remembered) return;
    this.#all.delete(remembered.sid);
    const left = (this.#perDomain.get(remembered.remote) ?? 1) - 1;
    if (left === 0) this.#perDomain.delete(remembered.remote);
    else this.#perDomain.set(remembered.remote, left);
    if (this.#all.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  /** What the keyspace has of those whose time is over goes by itself. */
  #tick(): void {
    const now = performance.now();
    for (const remembered of this.#all.values()) {
      if (remembered.isLate(now)) this.#forget(remembered);
      else remembered.refresh(now);
    }
  }

  #forget(remembered: RememberedStream): void {
    remembered.stop();
    this.#remove(remembered);
  }

  /** The keyspace may lack what it was told last. */
  storeChanged(): void {
    for (const remembered of this.#all.values()) remembered.storeChanged();
  }

  #inTurn<Result>(sid: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(sid) ?? Promise.resolve();
    const done = before.then(work, work);
    this.#turns.set(sid, done);
    const forget = () => {
      if (this.#turns.get(sid) === done) this.#turns.delete(sid);
    };
    done.then(forget, forget);
    return done;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticking);
    for (const remembered of this.#all.values()) remembered.stop();
    this.#all.clear();
  }
}

/** §6: on a stream that comes in, nothing was sent that could have been counted. */
function checkCount(h: number): void {
  if (h === 0) return;
  const application = Element.of('handled-count-too-high', NS.streamManagement, { h, 'send-count': 0 });
  throw new StreamError('undefined-condition', `You acknowledged ${h} stanzas of 0.`, application);
}
