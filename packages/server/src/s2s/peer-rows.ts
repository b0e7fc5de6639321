import type { Counter } from '@parley/metrics/counter';
import type { Metrics } from '@parley/metrics/registry';

type Direction = 'in' | 'out';
export type PeerProof = 'certificate' | 'dane' | 'posh' | 'dialback' | 'refused';

/** How it is with one domain of another server at the moment. */
export interface PeerNow {
  in: number;
  out: number;
  waiting: number;
}

export interface PeerRowsHost {
  readonly metrics: Metrics;
  /** Whether the configuration names a domain. */
  isNamed(domain: string): boolean;
  /** Everything that streams and queues to and from other domains are at the moment: called when somebody looks. */
  look(count: (domain: string, what: keyof PeerNow, number: number) => void): void;
}

/** Beside those that the configuration names; whoever comes then is among `other`. */
const MOST = 200;
const MOST_NAMED = 100;
const OTHER = 'other';

interface Row {
  readonly name: string;
  readonly in: Counter;
  readonly out: Counter;
}

/**
 * Numbers of single other servers. A stranger makes no row: a domain has one when it has proved who it is, or when it was
 * connected to, or the configuration names it.
 */
export class PeerRows {
  readonly #host: PeerRowsHost;
  readonly #rows = new Map<string, Row>();
  readonly #other: Row;
  #named = 0;
  /** What was found when somebody looked, until this turn is over. */
  #now: ReadonlyMap<string, PeerNow> | undefined;

  constructor(host: PeerRowsHost) {
    this.#host = host;
    this.#other = this.#begin(OTHER);
  }

  /** A stanza was taken from it, or for it. */
  stanza(domain: string, direction: Direction): void {
    (this.#rows.get(domain) ?? this.#of(domain))[direction].increment();
  }

  /** It has proved who it is, or tried to. */
  proof(domain: string, direction: Direction, proof: PeerProof): void {
    const { metrics } = this.#host;
    metrics.federationProofs.with({ direction, proof }).add(1);
    const { name: peer } = this.#of(domain, proof !== 'refused');
    metrics.peerProofs.with({ peer, direction, proof }).add(1);
  }

  /** An attempt to reach it came to nothing. */
  failed(domain: string): void {
    this.#host.metrics.peerFailures.with({ peer: this.#of(domain).name }).add(1);
  }

  #of(domain: string, proved = false): Row {
    const known = this.#rows.get(domain);
    if (known !== undefined) return known;
    const named = this.#named < MOST_NAMED && this.#host.isNamed(domain);
    if (!named && (!proved || this.#rows.size - this.#named >= MOST)) return this.#other;
    if (named) this.#named++;
    const row = this.#begin(domain);
    this.#rows.set(domain, row);
    return row;
  }

  #begin(peer: string): Row {
    const { peerStanzas, peerStreams, peerWaiting } = this.#host.metrics;
    peerStreams.with({ peer, direction: 'in' }).observe(() => this.#look(peer).in);
    peerStreams.with({ peer, direction: 'out' }).observe(() => this.#look(peer).out);
    peerWaiting.with({ peer }).observe(() => this.#look(peer).waiting);
    return {
      name: peer,
      in: peerStanzas.with({ peer, direction: 'in' }),
      out: peerStanzas.with({ peer, direction: 'out' }),
    };
  }

  /** One look serves all rows of a snapshot. */
  #look(peer: string): PeerNow {
    if (this.#now === undefined) {
      const now = new Map<string, PeerNow>();
      this.#host.look((domain, what, number) => {
        const { name } = this.#of(domain);
        let row = now.get(name);
        if (row === undefined) {
          row = { in: 0, out: 0, waiting: 0 };
          now.set(name, row);
        }
        row[what] += number;
      });
      this.#now = now;
      queueMicrotask(() => {
        this.#now = undefined;
      });
    }
    return this.#now.get(peer) ?? NOTHING;
  }
}

const NOTHING: PeerNow = { in: 0, out: 0, waiting: 0 };
