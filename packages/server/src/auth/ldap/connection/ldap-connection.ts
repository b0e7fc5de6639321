import type { Socket } from 'node:net';
import {
  BerReader,
  BindResponse,
  type Control,
  ExtendedResponse,
  type Message,
  type MessageResponse,
  ModifyResponse,
  ProtocolOperation,
  SearchEntry,
  SearchResponse,
  UnbindRequest,
} from 'ldapts';
import { DirectoryAway } from '../directory-error.ts';
import { type Entry, entryOf } from '../entry.ts';
import { MessageFramer } from './message-framer.ts';

/** What came of a request. */
export interface Answer {
  /** RFC 4511 §4.1.9. */
  readonly code: number;
  /** The server's own words. */
  readonly diagnostic: string;
  readonly response: MessageResponse;
  /** Of a search. */
  readonly entries: Entry[];
}

interface Pending {
  readonly id: number;
  readonly controls: Control[];
  readonly entries: Entry[];
  readonly most: number;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

const RESPONSES = new Map<number, (messageId: number) => MessageResponse>([
  [ProtocolOperation.LDAP_RES_BIND, (messageId) => new BindResponse({ messageId })],
  [ProtocolOperation.LDAP_RES_SEARCH, (messageId) => new SearchResponse({ messageId })],
  [ProtocolOperation.LDAP_RES_MODIFY, (messageId) => new ModifyResponse({ messageId })],
  [ProtocolOperation.LDAP_RES_EXTENSION, (messageId) => new ExtendedResponse({ messageId })],
]);

/** RFC 4511 §4.4: what a server says of its own accord, before it closes. */
const UNSOLICITED = 0;
/** The largest message taken: an entry with a photo, or a group with all its members, is far smaller. */
const MOST_BYTES = 64 * 1_048_576;
/** Entries that one search may bring; larger ones go by pages. */
const MOST_ENTRIES = 10_000;

/**
 * One connection to a server. It speaks ldapts' messages but does without its client, which connects anew by itself and
 * is nobody then, loses operations when that happens, and ends a paged search at the first page without entries. One
 * thing is asked at a time. An answer that does not come in time ends the connection.
 */
export class LdapConnection {
  readonly #socket: Socket;
  readonly #frames = new MessageFramer(MOST_BYTES);
  #pending: Pending | undefined;
  #lastId = 0;

  /** `socket` is connected, and encrypted where it is to be. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData).on('close', this.#onClose);
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.readyState === 'open';
  }

  onClose(listener: () => void): void {
    if (this.#socket.destroyed) listener();
    else this.#socket.once('close', listener);
  }

  /**
   * Sends a request, with a new number, and waits for the answer, whatever it is. Throws DirectoryAway where the
   * connection ends first, or `signal` aborts.
   */
  ask(request: Message, signal: AbortSignal, most = MOST_ENTRIES): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.usable) return reject(new DirectoryAway('The connection is closed.'));
      if (this.#pending !== undefined) throw new Error('A connection to a directory is asked one thing at a time.');
      const onAbort = () => this.#fail(new DirectoryAway('The server does not answer in time.', { late: true }));
      const settle = () => {
        this.#pending = undefined;
        signal.removeEventListener('abort', onAbort);
      };
      request.messageId = ++this.#lastId;
      this.#pending = {
        id: request.messageId,
        controls: request.controls ?? [],
        entries: [],
        most,
        resolve(answer) {
          settle();
          resolve(answer);
        },
        reject(error) {
          settle();
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort);
      if (signal.aborted) return onAbort();
      this.#socket.write(request.write());
    });
  }

  /** Takes leave and closes. */
  close(): void {
    if (this.usable) this.#socket.write(new UnbindRequest({ messageId: ++this.#lastId }).write());
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Gives the connection away, to be encrypted. Throws where bytes are left, which came from anybody. */
  detach(): Socket {
    this.#socket.off('data', this.#onData).off('close', this.#onClose);
    this.#socket.pause();
    if (this.#frames.held === 0) return this.#socket;
    this.destroy();
    throw new DirectoryAway('The server sends what was not asked for before encryption.');
  }

  #fail(error: DirectoryAway): void {
    this.#socket.destroy();
    this.#pending?.reject(error);
  }

  readonly #onClose = (): void => this.#pending?.reject(new DirectoryAway('The server closed the connection.'));

  readonly #onData = (chunk: Buffer): void => {
    try {
      for (const message of this.#frames.push(chunk)) this.#take(message);
    } catch (error) {
      this.#fail(new DirectoryAway('The server sends what is no LDAP.', { cause: error }));
    }
  };

  #take(message: Buffer): void {
    const reader = new BerReader(message);
    reader.readSequence();
    const id = reader.readInt();
    const operation = reader.readSequence();
    const pending = this.#pending;
    if (id === UNSOLICITED) {
      this.#fail(new DirectoryAway('The server says that it closes the connection.'));
      return;
    }
    // What was given up ends its connection, so there are no late answers.
    if (pending === undefined || id !== pending.id || operation === null) throw new Error('Nobody has asked for that.');
    if (operation === ProtocolOperation.LDAP_RES_SEARCH_REF) return; // other servers are not asked
    if (operation === ProtocolOperation.LDAP_RES_SEARCH_ENTRY) {
      takeEntry(pending, reader);
      return;
    }
    const response = RESPONSES.get(operation)?.(id);
    if (response === undefined) throw new Error(`Nobody understands 0x${operation.toString(16)}.`);
    response.parse(reader, pending.controls);
    const { status: code, errorMessage: diagnostic } = response;
    pending.resolve({ code, diagnostic, response, entries: pending.entries });
  }
}

function takeEntry(pending: Pending, reader: BerReader): void {
  if (pending.entries.length >= pending.most) throw new Error('More entries come than were asked for.');
  const entry = new SearchEntry({ messageId: pending.id });
  entry.parseMessage(reader);
  pending.entries.push(
    entryOf(
      entry.name,
      entry.attributes.map(({ type, parsedBuffers }) => [type, parsedBuffers] as const),
    ),
  );
}
