import { turnTime } from '../net/flush.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { IncomingHost } from './incoming-host.ts';
import type { IncomingStream } from './incoming-stream.ts';
import { EstablishedStream } from './outgoing-stream.ts';
import { Outstanding } from './outstanding.ts';
import type { StreamLimits } from './stream-limits.ts';
import type { Branch, Trunk } from './trunk.ts';

/** Whoever wants to acknowledge says so within this time; what goes out before that is not acknowledged. */
const SETTLING_MS = 1000;

const NEVER_RESUMED = { id: undefined, resumedAt: undefined, handledBefore: undefined };

/** What goes out on a stream that another server began (XEP-0288), for the pairs of domains that were proved on it. */
export class ReturnTrunk implements Trunk {
  readonly kind = 'theirs, both ways';
  readonly #incoming: IncomingStream;
  readonly #limits: StreamLimits;
  readonly #host: Pick<IncomingHost, 'config' | 'policy' | 'returnWays'>;
  readonly #branches = new Set<Branch>();
  readonly #draining = new Set<() => void>();
  readonly pairs = new Set<string>();
  /** It is known whether anything is acknowledged. */
  #settled = false;
  #settling: NodeJS.Timeout | undefined;
  #outstanding: Outstanding | undefined;
  #usedAt = 0;

  /** `limits`: what the other side takes. */
  constructor(
    incoming: IncomingStream,
    limits: StreamLimits,
    host: Pick<IncomingHost, 'config' | 'policy' | 'returnWays'>,
  ) {
    this.#incoming = incoming;
    this.#limits = limits;
    this.#host = host;
  }

  get address(): string {
    return this.#incoming.stream.transport.remoteAddress;
  }

  get port(): number {
    return this.#incoming.stream.transport.remotePort;
  }

  get tls(): Trunk['tls'] {
    return this.#incoming.stream.transport.tls;
  }

  get over(): boolean {
    return this.#incoming.stream.closed;
  }

  get buffered(): number {
    return this.#incoming.stream.transport.buffered;
  }

  get outstanding(): Outstanding | undefined {
    return this.#outstanding;
  }

  get received(): number {
    return this.#incoming.received;
  }

  get heardAt(): number {
    return this.#incoming.heardAt;
  }

  /** When something went out last. */
  get usedAt(): number {
    return this.#usedAt;
  }

  // --- how it comes to be -----------------------------------------------------------------------------------------

  /** Stanzas from one of our domains may go to one that has proved itself. */
  allow(local: string, remote: string): void {
    const pair = `${local} ${remote}`;
    if (this.over || this.pairs.has(pair) || this.#host.policy(remote).bidirectional === 'never') return;
    if (this.#incoming.elsewhere.has(remote)) return; // nor would a stream of ours do without what DNS names
    this.pairs.add(pair);
    if (this.#settled) this.#host.returnWays.offer(this, pair);
    else this.#settling ??= setTimeout(() => this.#settle(), SETTLING_MS);
  }

  /** The other side acknowledges from now on. */
  acknowledge(): void {
    const host = {
      isOver: () => this.over,
      acknowledgeMs: () => this.#host.config().timeouts.acknowledgeSeconds * 1000,
      write: (text: string) => this.#incoming.stream.send(text),
      close: (reason: string) => this.#incoming.stream.close(reason),
    };
    this.#outstanding = new Outstanding(host, NEVER_RESUMED);
    this.#settle();
  }

  /** A stanza came: whoever sends them has settled everything else. */
  onStanza(): void {
    if (!this.#settled) this.#settle();
  }

  #settle(): void {
    clearTimeout(this.#settling);
    if (this.#settled || this.over) return;
    this.#settled = true;
    for (const pair of this.pairs) this.#host.returnWays.offer(this, pair);
  }

  /** What goes out for one of the pairs. */
  branch(local: string, remote: string): EstablishedStream {
    const verdict = this.#incoming.proved.get(remote) ?? 'dialback';
    return new EstablishedStream(local, remote, this, {
      proof: 'connection',
      verdict,
      limits: this.#limits,
    });
  }

  // --- Trunk ------------------------------------------------------------------------------------------------------

  write(text: string): undefined {
    this.#incoming.stream.send(text);
    this.#usedAt = turnTime();
  }

  keepAlive(): void {
    this.#incoming.stream.send(' ');
  }

  whenSent(done: () => void): void {
    this.#incoming.stream.transport.whenSent(done);
  }

  onceDrained(done: () => void): void {
    const once = () => {
      if (this.#draining.delete(once)) done();
    };
    this.#draining.add(once);
    if (this.over) setImmediate(once);
    else this.#incoming.stream.transport.whenSent(once);
  }

  /** XEP-0288 §2.2: never on the stream that the key came on; and nobody has looked in DNS who is at its other end. */
  verify(): Promise<boolean> {
    const words = 'Nobody is asked about keys on a stream of its own.';
    return Promise.reject(new ConnectionFailure('proof', words, { timeout: true }));
  }

  join(branch: Branch): void {
    if (this.over) branch.onEnd('it is over');
    else this.#branches.add(branch);
  }

  /** It stays for what comes on it, unless it is not known what of the branch has arrived. */
  leave(branch: Branch, reason: string): void {
    if (!this.#branches.has(branch)) return;
    if (branch.unacknowledged > 0) {
      this.#incoming.stream.close(reason);
      return;
    }
    this.#branches.delete(branch);
    branch.onEnd(reason);
  }

  abandon(branch: Branch, reason: string): void {
    this.leave(branch, reason);
  }

  /** The stream is over. */
  onEnd(reason: string): void {
    clearTimeout(this.#settling);
    this.#outstanding?.stop();
    this.#host.returnWays.withdraw(this);
    const branches = [...this.#branches];
    this.#branches.clear();
    for (const branch of branches) branch.onEnd(reason);
    for (const done of [...this.#draining]) done();
  }
}
