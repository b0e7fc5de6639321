import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Predecessor } from '@parley/server/session/backlog';
import { Management, type ManagementHost } from '@parley/server/session/management';
import type { ResumptionStore } from '@parley/server/session/resumption/resumption-store';
import { Session, type SessionHost } from '@parley/server/session/session';
import { recordOf } from '@parley/server/session/session-record';
import type { Stream } from '@parley/server/stream/stream';
import type { StreamConsumer } from '@parley/server/stream/stream-consumer';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message, type Stanza } from '@parley/xmpp/stanza';
import type { StreamError } from '@parley/xmpp/stream-error';

export const JULIET = Jid.parse('juliet@capulet.lit/balcony');

/** As much of a stream as sessions need. */
export class FakeStream {
  readonly access = {};
  closed = false;
  /** What was written. */
  readonly sent: string[] = [];
  readonly errors: string[] = [];
  readonly limits: string[] = [];
  mechanism = 'TEST';
  unlimited = false;
  readonly identity = JULIET.bare;
  readonly transport = { blocked: false, buffered: 0, remoteAddress: '192.0.2.1' };
  readonly host = { onLimit: (_: unknown, limit: string) => this.limits.push(limit) };
  onSent: (text: string) => void = () => {};
  #consumer: StreamConsumer | undefined;

  get stream(): Stream {
    return this as unknown as Stream;
  }

  send(text: string): void {
    if (this.closed) return;
    this.sent.push(text);
    this.onSent(text);
  }

  sendElement(element: { toString(ns: string): string }): void {
    this.send(element.toString('jabber:client'));
  }

  /** What was written of this kind since it was asked for last. */
  take(name: string): string[] {
    const found = this.sent.filter((text) => text.startsWith(`<${name}`));
    for (const text of found) this.sent.splice(this.sent.indexOf(text), 1);
    return found;
  }

  bind(consumer: StreamConsumer): void {
    this.#consumer = consumer;
  }

  release(): void {
    this.#consumer = undefined;
  }

  error(error: StreamError): void {
    this.errors.push(error.condition);
    this.#finish(error.condition, false);
  }

  cut(reason: string): void {
    this.#finish(reason, true);
  }

  close(): void {
    this.#finish('closed', false);
  }

  /** The connection is lost. */
  break(): void {
    this.#finish('lost', true);
  }

  #finish(reason: string, lost: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.#consumer?.onStreamEnd(reason, lost);
  }
}

export interface ManagedOptions {
  readonly store: ResumptionStore;
  /** 0 where the session cannot be resumed. */
  readonly maxSeconds?: number;
  readonly limits?: { maxStanzas: number; maxBytes: number };
  readonly from?: Predecessor;
  readonly sid?: string;
  /** What deals with stanzas from the client. */
  process?(stanza: Stanza): Promise<void> | undefined;
  /** Whether the session's record can be made; it is by default. */
  again?(): Promise<void>;
  /** No other node has it, by default. */
  readonly isUndisputed?: ManagementHost['isUndisputed'];
  /** The keyspace never is away by default. */
  readonly upFor?: ManagementHost['upFor'];
}

/** A session of Juliet with stream management, and what happens to it. */
export class ManagedSession {
  readonly session: Session;
  readonly management: Management;
  readonly ends: string[] = [];
  readonly detachments: string[] = [];
  readonly late: string[] = [];
  /** How often it ceased to be full. */
  drains = 0;
  readonly faults: unknown[] = [];
  readonly #store: ResumptionStore;
  stream: FakeStream;

  constructor(options: ManagedOptions) {
    const { store, maxSeconds = 300, from, sid, limits = { maxStanzas: 1000, maxBytes: 1e6 } } = options;
    this.#store = store;
    this.stream = new FakeStream();
    if (from !== undefined) this.stream.closed = true;
    const host: Partial<SessionHost> = {
      process: (stanza) => options.process?.(stanza),
      toSession(stanza, session) {
        const committed = session.write(stanza);
        return committed instanceof Promise ? committed.then(() => true) : true;
      },
      onEnd: (_, reason) => this.ends.push(reason),
      onDetach: (_, reason) => this.detachments.push(reason),
      onLate: (stanza) => void this.late.push(stanza.toString()),
      onReceived: () => 0,
      onSent() {},
      onChange() {},
      onMoved() {},
      errorFor: (_, error) => void this.faults.push(error),
    };
    this.session = new Session(JULIET, this.stream.stream, host as SessionHost, sid);
    const management: ManagementHost = {
      store,
      limits: () => limits,
      again: options.again ?? (() => nextTurn()),
      upFor:
        options.upFor ??
        ((milliseconds, done) => {
          const timer = setTimeout(done, milliseconds);
          return () => clearTimeout(timer);
        }),
      isUndisputed: options.isUndisputed ?? (() => Promise.resolve(true)),
      onFault: (error) => this.faults.push(error),
      onDrained: () => this.drains++,
      onFenced: (session) => session.giveUp('it is gone from the keyspace, or another node has taken it over'),
    };
    this.management = new Management(this.session, management, maxSeconds, from);
    this.session.management = this.management;
    this.stream.bind(this.session);
  }

  /** Its record and an empty journal are in the keyspace. */
  async open(): Promise<this> {
    const record = recordOf(this.session, 1, this.management.maxSeconds);
    await this.#store.open(JULIET.bare, record, { handled: 0, origins: new Map() });
    return this;
  }

  /** A message for the client. The promise resolves when it is taken for good. */
  async say(id: string, k?: number): Promise<void> {
    const stanza = message({ to: JULIET, id, type: 'chat' });
    await this.session.send(k === undefined ? stanza : stanza.withOrigin({ sid: 'a'.repeat(16), k, effect: 0 }));
  }

  /** The client comes back on a new stream. */
  resume(h: number, stream = new FakeStream()): Promise<boolean> {
    const tell = (handled: number) =>
      stream.send(`<resumed xmlns='${NS.streamManagement}' h='${handled}' previd='id'/>`);
    return this.management.resume(stream.stream, h, tell).then((resumed) => {
      if (resumed) this.stream = stream;
      return resumed;
    });
  }

  /** What the journal holds: how much was handled, and the ids of the messages with their numbers. */
  async journal(): Promise<{ epoch: number; handled: number; entries: string[] } | undefined> {
    const kept = await this.#store.read(JULIET.bare, this.session.sessionId);
    if (kept === undefined) return undefined;
    const entries = kept.entries.map(({ out, text }) => `${idOf(text)} ${out ?? '-'}`);
    return { epoch: kept.record.epoch, handled: kept.header.handled, entries };
  }
}

export const idOf = (text: string): string => /id='([^']*)'/.exec(text)?.[1] ?? text;

/** Lets everything happen that waits for nothing but the next turns. */
export async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}
