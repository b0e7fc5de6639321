import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import type { KeyToVerify } from './dialback-key.ts';
import type { Branch, Trunk } from './trunk.ts';

export interface StreamEnd {
  readonly reason: string;
  /** What the other side has not acknowledged, oldest first. */
  readonly unacknowledged: readonly Stanza[];
}

/** How two servers have proved to each other who they are. */
export interface Proofs {
  /** How the other side has taken our word; of a stream that it began itself it is by where it connected to. */
  readonly proof: 'certificate' | 'dialback' | 'connection';
  /** How it has proved its own. */
  readonly verdict: 'certificate' | 'dns' | 'dialback';
  /** Bytes of the largest stanza that it takes, where it says so (XEP-0478). */
  readonly maxBytes: number;
}

/** Bytes that wait to be read by the other side; more wait in the queue, where they are counted. */
const MOST_BUFFERED = 262_144;

/** A stream on which stanzas go from one of our domains to another one. */
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
  /** Stanzas that went out. */
  sent = 0;
  #sentAt = performance.now();
  /** What it shares with other pairs, if it does. */
  readonly trunk: Trunk;
  readonly maxBytes: number;
  readonly #resolve: (end: StreamEnd) => void;
  #over = false;
  /** Sent and not acknowledged, oldest first; always empty where the other side does not acknowledge. */
  #open: Stanza[] = [];

  constructor(local: string, remote: string, trunk: Trunk, { proof, verdict, maxBytes }: Proofs) {
    this.local = local;
    this.remote = remote;
    this.proof = proof;
    this.verdict = verdict;
    this.maxBytes = maxBytes;
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

  /** The other side says what it has got (XEP-0198). */
  get acknowledges(): boolean {
    return this.trunk.outstanding !== undefined;
  }

  /** Stanzas that it has not acknowledged. */
  get unacknowledged(): number {
    return this.#open.length;
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

  /** Calls back once when more may be sent, or it is over. */
  whenWritable(done: () => void): void {
    this.trunk.onceDrained(done);
  }

  /** False where it is too large for the other side. */
  send(stanza: Stanza): boolean {
    const text = betweenServers(stanza);
    // a character is no more than three bytes
    if (text.length * 3 > this.maxBytes && Buffer.byteLength(text) > this.maxBytes) return false;
    this.#sentAt = performance.now();
    this.sent++;
    this.trunk.write(text);
    const { outstanding } = this.trunk;
    if (outstanding !== undefined) {
      this.#open.push(stanza);
      outstanding.add(this);
    }
    return true;
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

  onAcknowledged(): void {
    this.#open.shift();
  }

  onEnd(reason: string): void {
    this.#over = true;
    const unacknowledged = this.#open;
    this.#open = [];
    this.#resolve({ reason, unacknowledged });
  }
}

/**
 * The text of a stanza in a stream whose content namespace is `jabber:server`. What stands in it in that of clients means
 * the same (RFC 6120 §4.8.3), unless it says so itself: then it has to be written anew.
 */
export function betweenServers(stanza: Stanza): string {
  const text = stanza.toString();
  return text.includes(NS.client) ? stanza.with({ children: stanza.children }).toString() : text;
}
