import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { turnTime } from '../net/flush.ts';
import type { Written } from '../net/written.ts';
import type { CertificateVoucher } from './certificate-verdict.ts';
import type { KeyToVerify } from './dialback-key.ts';
import type { StreamManagement } from './negotiation.ts';
import type { StreamLimits } from './stream-limits.ts';
import type { Branch, Trunk } from './trunk.ts';

export interface StreamEnd {
  readonly reason: string;
}

/** How two servers have proved to each other who they are. */
export interface Proofs {
  /** How the other side has taken our word; of a stream that it began itself it is by where it connected to. */
  readonly proof: 'certificate' | 'dialback' | 'connection';
  /** How it has proved its own. */
  readonly verdict: CertificateVoucher | 'dns' | 'dialback';
  /** What it takes, where it says so (XEP-0478). */
  readonly limits: StreamLimits;
}

/**
 * Bytes that wait to be read by the other side, some turns of the event loop on a busy stream; more wait in the queue, where
 * they are counted.
 */
const MOST_BUFFERED = 1_048_576;

/** What goes from one of our domains to another one on a stream, which may be others' as well. */
export class EstablishedStream implements Branch {
  readonly local: string;
  readonly remote: string;
  /** How the other side has taken our word for who we are, for logs and administration. */
  readonly proof: Proofs['proof'];
  /** How it has proved its own. */
  readonly verdict: Proofs['verdict'];
  readonly since = Date.now();
  /** Resolves when it is over. */
  readonly closed: Promise<StreamEnd>;
  /** Called with how many more stanzas the other side has acknowledged. */
  onAcknowledged: (count: number) => void = () => {};
  /** Stanzas that went out. */
  sent = 0;
  #sentAt = performance.now();
  /** When the other side was shown last that we are there, without a stanza. */
  #shownAt = 0;
  /** What it shares with other pairs, if it does. */
  readonly trunk: Trunk;
  readonly limits: StreamLimits;
  readonly #resolve: (end: StreamEnd) => void;
  #over = false;
  /** Sent and not acknowledged: always 0 where the other side does not acknowledge. */
  #open = 0;

  constructor(local: string, remote: string, trunk: Trunk, { proof, verdict, limits }: Proofs) {
    this.local = local;
    this.remote = remote;
    this.proof = proof;
    this.verdict = verdict;
    this.limits = limits;
    this.trunk = trunk;
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.closed = promise;
    this.#resolve = resolve;
    trunk.join(this);
  }

  get kind(): Trunk['kind'] {
    return this.trunk.kind;
  }

  get address(): string {
    return this.trunk.address;
  }

  get port(): number {
    return this.trunk.port;
  }

  get tls(): Trunk['tls'] {
    return this.trunk.tls;
  }

  /** How the other side acknowledges what it gets (XEP-0198); undefined where it does not. */
  get management(): StreamManagement | undefined {
    return this.trunk.outstanding?.management;
  }

  /** Stanzas that it has not acknowledged. */
  get unacknowledged(): number {
    return this.#open;
  }

  /** Stanzas that came on the same stream. */
  get received(): number {
    return this.trunk.received;
  }

  /** By a clock that nobody sets: when something last went, out or in. */
  get usedAt(): number {
    return Math.max(this.#sentAt, this.trunk.heardAt);
  }

  get over(): boolean {
    return this.#over || this.trunk.over;
  }

  /** False where it is over, or too much waits to be read by the other side. */
  get writable(): boolean {
    return !this.over && this.trunk.buffered < MOST_BUFFERED;
  }

  /** Nothing waits to be sent any more: as far as we know the other side has it. */
  get flushed(): boolean {
    return !this.over && this.trunk.buffered === 0;
  }

  /** Calls back once, when all that was sent so far is with the operating system; never where it is over before. */
  whenSent(done: () => void): void {
    this.trunk.whenSent(done);
  }

  /** Calls back once when more may be sent, or it is over. */
  whenWritable(done: () => void): void {
    this.trunk.onceDrained(done);
  }

  /** Whether it is not too large for the other side. */
  takes(text: string): boolean {
    // a character is no more than three bytes
    const { maxBytes } = this.limits;
    return text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes;
  }

  /** Called every second or so: the other side is not to take the stream for dead before we do. */
  keepAlive(): void {
    const now = performance.now();
    if (this.over || now - Math.max(this.#sentAt, this.#shownAt) < this.limits.idleMs / 2) return;
    this.#shownAt = now;
    this.trunk.keepAlive();
  }

  /** A stanza, as `betweenServers` writes it. Answers what it goes out in, together with others, where that can be told. */
  send(text: string): Written | undefined {
    this.sent++;
    const written = this.trunk.write(text);
    this.#sentAt = turnTime();
    const { outstanding } = this.trunk;
    if (outstanding !== undefined) {
      this.#open++;
      outstanding.add(this);
    }
    return written;
  }

  /** Asks whether a key is its own (XEP-0220 §2.1.2). Rejects with a ConnectionFailure. */
  verify(key: KeyToVerify): Promise<boolean> {
    return this.trunk.verify(key);
  }

  /** Closes in order. */
  close(reason: string): void {
    this.#over = true;
    this.trunk.leave(this, reason);
  }

  /** Lets go of the connection: the other side takes it for lost, and keeps the stream for whoever resumes it. */
  abandon(reason: string): void {
    this.#over = true;
    this.trunk.abandon(this, reason);
  }

  handled(count: number): void {
    this.#open -= count;
    this.onAcknowledged(count);
  }

  onEnd(reason: string): void {
    this.#over = true;
    this.#open = 0;
    this.#resolve({ reason });
  }
}

/**
 * The text of a stanza in a stream whose content namespace is `jabber:server`. What stands in it in that of clients means
 * the same (RFC 6120 §4.8.3), unless it says so itself: then it has to be written anew.
 */
export function betweenServers(stanza: Stanza): string {
  return (stanza.holds(NS.client) ? stanza.with({ children: stanza.children }) : stanza).toString();
}
