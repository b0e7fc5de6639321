import type { CertificateVerdict } from './certificate-verdict.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { DialbackKey } from './dialback-key.ts';
import { EstablishedStream } from './outgoing-stream.ts';
import { OutgoingTrunk } from './outgoing-trunk.ts';
import { type PeerPolicy, tlsSuffices } from './policy.ts';
import type { Target } from './resolver.ts';

export interface SharingHost {
  readonly policy: (remote: string) => PeerPolicy;
  readonly dialbackKey: DialbackKey;
  /** Where DNS says that a domain is. Rejects with a ConnectionFailure. */
  targets(remote: string, policy: PeerPolicy): Promise<readonly Target[]>;
  /** Whether what the other side has shown, at a place that DNS names for this domain, proves that it is that domain. */
  judge(tls: OutgoingTrunk['tls'], remote: string, target: Target): Promise<CertificateVerdict>;
  /** Makes a stream for one pair. */
  open(local: string, remote: string, previous: string | undefined): Promise<EstablishedStream>;
  /** What we show of ourselves as one of our domains: the same where it is the same. */
  shown(local: string): unknown;
  /** Pairs of domains on one stream. */
  most(): number;
}

/** Pairs that the other side refuses on one stream: nobody asks there any more then. */
const MOST_REFUSED = 100;

/** A stream that others may share, and for whom it was made. */
interface Shared {
  readonly trunk: OutgoingTrunk;
  readonly first: EstablishedStream;
  readonly shown: unknown;
  readonly policy: PeerPolicy;
  /** Pairs that the other side did not take on it. */
  readonly refused: Set<string>;
}

/**
 * Several pairs of domains on one stream (XEP-0220 §2.5), where the policy wants that and it is safe: the other side has
 * said that it refuses a pair without ending the stream; it is where DNS says that the further domain is, and its
 * certificate stands for that one, too, unless its word is enough; and we show of ourselves what we would show anyway.
 */
export class Sharing {
  readonly #host: SharingHost;
  readonly #shared = new Set<Shared>();
  /** Streams that are being made, by where to: who comes meanwhile waits for what becomes of them. */
  readonly #making = new Map<string, Promise<unknown>>();

  constructor(host: SharingHost) {
    this.#host = host;
  }

  /**
   * A stream for a pair, of its own or not. Rejects with a ConnectionFailure. `previous`: the one before, which the other
   * side may have kept.
   */
  async open(local: string, remote: string, previous?: string): Promise<EstablishedStream> {
    const policy = this.#host.policy(remote);
    if (!policy.allow || !policy.shareStreams) return await this.#host.open(local, remote, previous);
    const targets = await this.#host.targets(remote, policy);
    const place = targets.map(({ address, port }) => `${address} ${port}`).sort()[0] ?? '';
    let joined = await this.#join(local, remote, policy, targets);
    const making = this.#making.get(place);
    if (joined === undefined && making !== undefined) {
      await making.catch(() => {}); // whoever made it knows why there is none
      joined = await this.#join(local, remote, policy, targets);
    }
    if (joined !== undefined) return joined;
    const opening = this.#host.open(local, remote, previous);
    if (!this.#making.has(place)) {
      this.#making.set(place, opening);
      const done = () => this.#making.delete(place);
      opening.then(done, done);
    }
    const stream = await opening;
    this.#offer(stream, policy);
    return stream;
  }

  /** Who vouches for whom is another now: streams of before stay, and nobody further is to share them. */
  clear(): void {
    this.#shared.clear();
  }

  #offer(first: EstablishedStream, policy: PeerPolicy): void {
    const { trunk } = first;
    if (!(trunk instanceof OutgoingTrunk) || !trunk.refusesGently) return;
    if (first.management?.id !== undefined) return; // its numbers are those of one queue
    const shared = { trunk, first, shown: this.#host.shown(first.local), policy, refused: new Set<string>() };
    this.#shared.add(shared);
    void trunk.closed.then(() => this.#shared.delete(shared));
  }

  async #join(
    local: string,
    remote: string,
    policy: PeerPolicy,
    targets: readonly Target[],
  ): Promise<EstablishedStream | undefined> {
    for (const shared of this.#shared) {
      const verdict = await this.#verdict(shared, local, remote, policy, targets);
      const { trunk, refused, first } = shared;
      if (verdict === undefined || trunk.over) continue;
      try {
        await trunk.extend(local, remote, this.#host.dialbackKey(remote, local, trunk.id));
        return new EstablishedStream(local, remote, trunk, { proof: 'dialback', verdict, limits: first.limits });
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        if (refused.size >= MOST_REFUSED) this.#shared.delete(shared); // what it is asked is in vain
        refused.add(`${local} ${remote}`); // a stream of its own may do, or will tell why not
      }
    }
    return undefined;
  }

  /** How the other side has proved on a stream that it is the further domain, too; undefined where it is not to be used for it. */
  async #verdict(
    { trunk, shown, policy: before, refused }: Shared,
    local: string,
    remote: string,
    policy: PeerPolicy,
    targets: readonly Target[],
  ): Promise<EstablishedStream['verdict'] | undefined> {
    const target = targets.find(({ address, port }) => address === trunk.address && port === trunk.port);
    const authorities = policy.authorities === before.authorities && policy.revocations === before.revocations;
    const alike = authorities && isAsked(policy) === isAsked(before);
    const room = trunk.pairs.size < this.#host.most() && !refused.has(`${local} ${remote}`);
    if (trunk.over || target === undefined || !alike || !room || shown !== this.#host.shown(local)) return undefined;
    if (!tlsSuffices(policy, trunk.tls?.protocol)) return undefined;
    const { good, by = 'certificate', final } = await this.#host.judge(trunk.tls, remote, target);
    if (good) return by;
    return policy.authentication === 'certificate-or-dialback' && !final ? 'dns' : undefined;
  }
}

const isAsked = ({ bidirectional }: PeerPolicy) => bidirectional === 'ask';
