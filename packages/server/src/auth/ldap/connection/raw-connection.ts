import { AbandonRequest, BindRequest, type ExtendedRequest, type SearchRequest, UnbindRequest } from 'ldapts';
import { type LdapMessage, type LdapResult, RESPONSE, readMessage, readResult } from './message.ts';
import { MessageFramer } from './message-framer.ts';

/** The bytes under it. */
export interface Wire {
  handler: { onData(bytes: Buffer): void; onClose(reason: string): void };
  write(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  destroy(): void;
  end(): void;
}

/** The connection is gone, or what came over it is no LDAP. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
}

export interface SimpleCredentials {
  readonly dn: string;
  readonly password: string;
}

/** One step of a SASL exchange; `credentials` is what the client says in it. */
export interface SaslStep {
  readonly mechanism: string;
  readonly credentials: string;
}

export interface BindResult extends LdapResult {
  /** What the server's mechanism says (code 14 and, with some mechanisms, 0). */
  readonly credentials: Buffer | undefined;
}

export interface RawConnectionOptions {
  /** The largest answer that is taken. */
  readonly mostBytes?: number;
}

/** Answers of a search that wait for whoever reads them; from there on the directory is not listened to. */
const MOST_WAITING = 512;
const FEWEST_WAITING = 64;
const MOST_BYTES = 16 * 1024 * 1024;
const LAST_ID = 0x7fff_ffff;
/** RFC 4511 §4.4.1: not an answer, but a farewell. */
const NOTICE = 0;
/** resultCode (RFC 4511 §4.1.9): the exchange goes on. */
export const SASL_BIND_IN_PROGRESS = 14;

interface Listener {
  /** Whether more is to come for it. */
  onMessage(message: LdapMessage): boolean;
  onLost(error: ConnectionLost): void;
}

/**
 * An LDAP connection for what ldapts has no words for: SASL binds of several steps, searches that go on, intermediate
 * responses. Nothing that a directory sends does more than end it.
 */
export class RawConnection {
  readonly #wire: Wire;
  readonly #framer: MessageFramer;
  readonly #listeners = new Map<number, Listener>();
  readonly #searches = new Set<LdapSearch>();
  readonly #lost = Promise.withResolvers<ConnectionLost>();
  #error: ConnectionLost | undefined;
  #id = 0;
  #paused = false;
  /** When the directory said something last, by `performance.now()`. */
  heardAt = performance.now();

  constructor(wire: Wire, { mostBytes = MOST_BYTES }: RawConnectionOptions = {}) {
    this.#wire = wire;
    this.#framer = new MessageFramer(mostBytes);
    wire.handler = {
      onData: (bytes) => this.#onData(bytes),
      onClose: (reason) => this.#end(new ConnectionLost(`The connection to the directory is gone: ${reason}`)),
    };
  }

  /** Resolves when it is over, with the reason. */
  get lost(): Promise<ConnectionLost> {
    return this.#lost.promise;
  }

  get isOpen(): boolean {
    return this.#error === undefined;
  }

  /** Nothing is read since somebody does not keep up: an answer may be there all the same. */
  get isPaused(): boolean {
    return this.#paused;
  }

  async bind(who: SimpleCredentials | SaslStep): Promise<BindResult> {
    const request =
      'mechanism' in who
        ? new BindRequest({ messageId: 0, mechanism: who.mechanism, password: who.credentials })
        : new BindRequest({ messageId: 0, dn: who.dn, password: who.password });
    const { result, more } = readResult(await this.#ask(request, RESPONSE.bind));
    return { ...result, credentials: more.get(0x87) };
  }

  async extended(request: ExtendedRequest): Promise<LdapResult & { value: Buffer | undefined }> {
    const { result, more } = readResult(await this.#ask(request, RESPONSE.extended));
    return { ...result, value: more.get(0x8b) };
  }

  search(request: SearchRequest): LdapSearch {
    const search: LdapSearch = new LdapSearch({
      onWaiting: (count) => this.#regulate(search, count),
      onEnough: () => this.#abandon(id),
    });
    const id = this.#send(request, search);
    this.#searches.add(search);
    return search;
  }

  /** Says good-bye and lets go of it. */
  close(): void {
    if (this.#error !== undefined) return;
    this.#write(new UnbindRequest({ messageId: this.#nextId() }));
    this.#wire.end();
    this.#end(new ConnectionLost('The connection to the directory was closed by this node.'), true);
  }

  /** Lets go of it at once, for the given reason. */
  destroy(reason: string): void {
    this.#end(new ConnectionLost(reason));
  }

  #ask(request: BindRequest | ExtendedRequest, expected: number): Promise<LdapMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<LdapMessage>();
    this.#send(request, {
      onMessage: (message) => {
        if (message.operation !== expected) {
          reject(this.#end(new ConnectionLost('The directory answered something else than what it was asked.')));
        } else resolve(message);
        return false;
      },
      onLost: reject,
    });
    return promise;
  }

  #send(request: { messageId: number; write(): Buffer }, listener: Listener): number {
    const id = this.#nextId();
    request.messageId = id;
    if (this.#error !== undefined) listener.onLost(this.#error);
    else {
      this.#listeners.set(id, listener);
      this.#wire.write(request.write());
    }
    return id;
  }

  #write(request: { write(): Buffer }): void {
    if (this.#error === undefined) this.#wire.write(request.write());
  }

  #nextId(): number {
    do this.#id = this.#id === LAST_ID ? 1 : this.#id + 1;
    while (this.#listeners.has(this.#id));
    return this.#id;
  }

  #abandon(id: number): void {
    if (!this.#listeners.delete(id)) return;
    this.#write(new AbandonRequest({ messageId: this.#nextId(), abandonId: id }));
  }

  /** Listens to the directory only while everybody keeps up with it. */
  #regulate(search: LdapSearch, count: number): void {
    if (search.isOver && count === 0) this.#searches.delete(search);
    if (!this.#paused && count >= MOST_WAITING) {
      this.#paused = true;
      this.#wire.pause();
    } else if (this.#paused && this.#searches.values().every(({ waiting }) => waiting <= FEWEST_WAITING)) {
      this.#paused = false;
      this.#wire.resume();
    }
  }

  #onData(bytes: Buffer): void {
    if (this.#error !== undefined) return;
    this.heardAt = performance.now();
    try {
      for (const message of this.#framer.push(bytes)) this.#onMessage(readMessage(message));
    } catch (error) {
      this.#end(new ConnectionLost(`The directory sent ${(error as Error).message}.`, { cause: error }));
    }
  }

  #onMessage(message: LdapMessage): void {
    const { id } = message;
    if (id === NOTICE) {
      const { diagnostic } = readResult(message).result;
      this.#end(new ConnectionLost(`The directory ends the connection: ${diagnostic || 'it does not say why'}.`));
      return;
    }
    // whatever was abandoned may still be answered
    if (this.#listeners.get(id)?.onMessage(message) === false) this.#listeners.delete(id);
  }

  #end(error: ConnectionLost, inOrder = false): ConnectionLost {
    if (this.#error !== undefined) return this.#error;
    this.#error = error;
    if (!inOrder) this.#wire.destroy();
    for (const listener of this.#listeners.values()) listener.onLost(error);
    this.#listeners.clear();
    this.#lost.resolve(error);
    return error;
  }
}

interface SearchHost {
  onWaiting(count: number): void;
  onEnough(): void;
}

/** What one search brings, until it is done; whoever leaves the loop before that abandons the search. */
export class LdapSearch implements Listener, AsyncIterable<LdapMessage> {
  readonly #host: SearchHost;
  readonly #waiting: LdapMessage[] = [];
  #over = false;
  #error: ConnectionLost | undefined;
  #wake: (() => void) | undefined;

  constructor(host: SearchHost) {
    this.#host = host;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get isOver(): boolean {
    return this.#over || this.#error !== undefined;
  }

  onMessage(message: LdapMessage): boolean {
    this.#over = message.operation === RESPONSE.searchDone;
    this.#waiting.push(message);
    this.#wake?.();
    this.#host.onWaiting(this.#waiting.length);
    return !this.#over;
  }

  onLost(error: ConnectionLost): void {
    this.#error = error;
    this.#wake?.();
  }

  /** Everything that waits; when nothing does, whatever comes next. Empty where the search is over. */
  async next(): Promise<readonly LdapMessage[]> {
    if (this.#waiting.length === 0 && !this.isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const all = this.#waiting.splice(0);
    if (all.length === 0 && this.#error !== undefined && !this.#over) throw this.#error;
    this.#host.onWaiting(0);
    return all;
  }

  /** No more of it is wanted. */
  abandon(): void {
    if (this.isOver) return;
    this.#over = true;
    this.#waiting.length = 0;
    this.#host.onEnough();
    this.#host.onWaiting(0);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LdapMessage, void, undefined> {
    try {
      for (let all = await this.next(); all.length > 0; all = await this.next()) yield* all;
    } finally {
      this.abandon();
    }
  }
}
