/** Stanzas for other servers, for tests: on an embedded keyspace, with streams and a clock that are made up. */
import { PARTITIONS } from '@parley/keyspace/key';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { message, type Origin, type Stanza } from '@parley/xmpp/stanza';
import type { StanzaError } from '@parley/xmpp/stanza-error';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { FakeStream as ClientStream } from '../../../../tests/support/managed-session.ts';
import { UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
import { federation } from '../config/federation.ts';
import { Dropped } from '../pipeline.ts';
import { DirectJournal } from '../session/journal.ts';
import { sweep } from '../session/resumption/journal-sweep.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import { Sessions } from '../session/sessions.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { StreamManagement } from './negotiation.ts';
import type { EstablishedStream, StreamEnd } from './outgoing-stream.ts';
import { peerPolicy } from './policy.ts';
import { RemoteRouting, type RemoteRoutingSettings } from './remote-routing.ts';

export const LOCAL = Jid.parse('romeo@local.example/a');
export const SETTINGS: RemoteRoutingSettings = {
  waitMs: 60_000,
  firstRetryMs: 2000,
  maxRetryMs: 300_000,
  idleMs: 600_000,
  patienceMs: 90_000,
  maxStanzas: 5,
  maxBytes: 100_000,
  maxTotalBytes: 100_000,
  outgoing: 2,
};

export class FakeStream {
  readonly sent: string[] = [];
  writable = true;
  over = false;
  /** The connection was cut: the other side may keep the stream. */
  abandoned = false;
  usedAt = performance.now();
  unacknowledged = 0;
  onAcknowledged: (count: number) => void = () => {};
  readonly management: StreamManagement | undefined;
  #done: (() => void) | undefined;
  #end: (end: StreamEnd) => void = () => {};
  readonly closed = new Promise<StreamEnd>((resolve) => {
    this.#end = resolve;
  });

  constructor(management?: Partial<StreamManagement>) {
    this.management = management && { id: undefined, resumedAt: undefined, handledBefore: undefined, ...management };
  }

  get flushed(): boolean {
    return this.writable;
  }

  takes(text: string): boolean {
    return idOf(text) !== 'huge';
  }

  /** How often it was told to show that we are there. */
  kept = 0;
  keepAlive(): void {
    this.kept++;
  }

  send(text: string): void {
    this.usedAt = performance.now();
    this.sent.push(idOf(text));
  }

  whenWritable(done: () => void): void {
    this.#done = done;
  }

  /** What waits for the operating system to have all bytes. */
  unsent: (() => void)[] = [];
  whenSent(done: () => void): void {
    this.unsent.push(done);
  }

  /** It has. */
  flush(): void {
    for (const done of this.unsent.splice(0)) done();
  }

  drained(): void {
    this.writable = true;
    this.#done?.();
  }

  close(reason: string): void {
    this.end(reason);
  }

  abandon(reason: string): void {
    this.abandoned = true;
    this.end(reason);
  }

  end(reason: string): void {
    this.over = true;
    this.writable = false;
    this.#end({ reason });
  }
}

const idOf = (text: string) => / id='([^']*)'/.exec(text)?.[1] ?? '';

interface Attempt {
  readonly remote: string;
  readonly previous: string | undefined;
  open(stream: FakeStream): void;
  fail(error: Error): void;
}

const fault = (error: unknown) => {
  throw error;
};

/** A node with what it needs to speak to other servers, alone on a keyspace, which outlives it. */
export class RoutingWorld {
  routing!: RemoteRouting;
  settings = SETTINGS;
  ours = new Set(['local.example']);
  /** Ids of what was routed to somebody here. */
  routed: string[] = [];
  attempts: Attempt[] = [];
  /** Id and condition of each. */
  answers: string[] = [];
  /** What they are known by. */
  origins: (Origin | undefined)[] = [];
  /** What an answer waits for. */
  answered: Promise<void> | undefined;
  keyspace!: Keyspace;
  #unreliable!: UnreliableKeyspace;

  /** Each test has one; it is begun anew for each. */
  constructor() {
    beforeEach(async () => {
      const { keyspace } = await openKeyspace('embedded::memory:');
      Object.assign(this, { ours: new Set(['local.example']), routed: [] });
      Object.assign(this, {
        keyspace,
        settings: SETTINGS,
        attempts: [],
        answers: [],
        origins: [],
        answered: undefined,
      });
      vi.useFakeTimers();
      vi.spyOn(Math, 'random').mockReturnValue(0.5); // no jitter
      await this.start();
    });
    afterEach(async () => {
      await this.routing.stop();
      vi.useRealTimers();
      // whatever happened, of every stanza that was written down it is known what became of it
      const all = Array.from({ length: PARTITIONS }, (_, partition) => sweep(this.keyspace, partition, false));
      const counts = await Promise.all(all);
      expect(counts.filter(({ missing }) => missing !== 0)).toEqual([]);
      await this.keyspace.close();
    });
  }

  async start(peers: object[] = []): Promise<void> {
    const config = federation.parse({ peers });
    const sessions = new Sessions();
    this.#unreliable = new UnreliableKeyspace(this.keyspace);
    const store = new ResumptionStore({ keyspace: this.#unreliable.keyspace, onDamaged: fault });
    const { attempts, answers, origins } = this;
    const routing: RemoteRouting = new RemoteRouting({
      sessions,
      store,
      journal: () => new DirectJournal(sessions),
      nodes: undefined,
      stream: () => new ClientStream().stream,
      again: () => new Promise((resolve) => setTimeout(resolve, 100)),
      route: (stanza) => {
        if (this.ours.has(stanza.to?.domain ?? '')) this.routed.push(stanza.id ?? '');
        else return routing.send(stanza);
      },
      onFault: fault,
      connectElsewhere: () => Promise.resolve(false),
      settings: () => this.settings,
      policy: (remote) => peerPolicy(config, remote),
      isOurs: (domain) => this.ours.has(domain),
      open: (_, remote, previous) =>
        new Promise((resolve, fail) => {
          const open = (stream: FakeStream) => resolve(stream as unknown as EstablishedStream);
          attempts.push({ remote, previous, open, fail });
        }),
      answer: (stanza, error, prepare = (answer) => answer) => {
        const { id, origin } = prepare(stanza.error(error as StanzaError));
        answers.push(`${id} ${(error as StanzaError).condition}`);
        origins.push(origin);
        return this.answered;
      },
      onSent() {},
      onOpen() {},
      onEnd() {},
      onFailure() {},
      onLimit() {},
    });
    this.routing = routing;
    await routing.sessions.reap((owner) => owner !== store.owner);
    routing.start();
  }

  /** The node is killed, and started again. */
  async restart(): Promise<void> {
    await turn();
    this.#unreliable.die();
    for (const queue of this.routing.queues) queue.end('it is dead');
    this.attempts = [];
    await this.start();
    await turn();
  }

  /** Hands them over, and has them taken. */
  async send(...stanzas: Stanza[]): Promise<void> {
    for (const stanza of stanzas) await this.routing.send(stanza);
    await turn();
  }

  /** The other side lets an attempt come to be. */
  async opened(index = 0, management?: Partial<StreamManagement>): Promise<FakeStream> {
    const stream = new FakeStream(management);
    this.attempts[index]?.open(stream);
    await turn();
    return stream;
  }

  /** How a stanza is refused, be it at once or by an answer. */
  async conditionOf(stanza: Stanza): Promise<string | undefined> {
    const before = this.answers.length;
    try {
      await this.routing.send(stanza);
      return this.answers[before]?.split(' ')[1];
    } catch (error) {
      return error instanceof Dropped ? 'dropped' : (error as StanzaError).condition;
    }
  }
}

export const to = (domain: string) => Jid.parse(`juliet@${domain}`);
export const words = (id: string, domain = 'remote.example') => message({ from: LOCAL, to: to(domain), id });
export const refused = new ConnectionFailure('connection', 'Nobody listens.', { timeout: true });
export const unknown = new ConnectionFailure('dns', 'It is not known.', { lasting: true });

export const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

/** What is under way in the keyspace is done. */
export async function turn(): Promise<void> {
  for (let n = 0; n < 20; n++) await vi.advanceTimersByTimeAsync(0);
}
