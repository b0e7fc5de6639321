import type { Metrics } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Offer } from '../../session/offer.ts';
import type { OtherNodes } from '../../session/other-nodes.ts';
import type { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { Session } from '../../session/session.ts';

export interface ArrivalsHost {
  readonly otherNodes: OtherNodes;
  readonly store: ResumptionStore;
  readonly metrics: Pick<Metrics, 'clusterTakeovers'>;
  /** A session of this node. */
  own(sid: string): Session | undefined;
  /** Takes a session over; undefined where it is over, or may not be taken as it is recorded. */
  restore(
    account: Jid,
    sid: string,
    mayTakeFrom: (owner: string, epoch: number) => boolean,
  ): Promise<Session | undefined>;
}

/** A session that is here now, and where it was: on this node, on another one, or on one that was gone. */
export interface Arrival {
  readonly session: Session;
  readonly from: 'here' | 'elsewhere' | 'gone';
}

/** How often a session that goes from node to node is followed. */
const ATTEMPTS = 5;

/** Sessions that come here from other nodes: since their clients do, or since their nodes let go of them. */
export class Arrivals {
  readonly #host: ArrivalsHost;
  /** The end of what is done for each session: it must not come twice. */
  readonly #coming = new Map<string, Promise<unknown>>();

  constructor(host: ArrivalsHost) {
    this.#host = host;
  }

  /**
   * Has a session come here that another node has, or had before it was gone. Undefined where it is over, or not `wanted`
   * any more: its client may be with another node by now, from which it must not be taken.
   */
  fetch(account: Jid, sid: string, wanted: () => boolean): Promise<Arrival | undefined> {
    return this.#inTurn(sid, () => this.#fetch(account, sid, wanted));
  }

  /** Takes a session over that another node lets go of, unless somebody else has done so. */
  async onOffered({ owner, sid, account, epoch }: Offer): Promise<void> {
    await this.#inTurn(sid, async () => {
      const { own, restore } = this.#host;
      if (own(sid) !== undefined) return;
      const session = await restore(account, sid, (from, under) => from === owner && under >= epoch);
      if (session !== undefined) this.#count('released');
    });
  }

  async #fetch(account: Jid, sid: string, wanted: () => boolean): Promise<Arrival | undefined> {
    const { otherNodes, store, own, restore } = this.#host;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const here = own(sid);
      if (here !== undefined) return { session: here, from: 'here' };
      const { losses } = otherNodes;
      await otherNodes.told(account, sid);
      const found = await store.find(account, sid);
      if (!wanted()) return undefined;
      if (losses !== otherNodes.losses) continue;
      if (found === undefined || found.record.maxSeconds === 0) return undefined;
      // with it come the stanzas that are in its memory alone
      const alive = otherNodes.isAlive(found.owner);
      const released = alive && (await otherNodes.release(found.owner, sid));
      // what was left in a keyspace that has lost it since is asked for anew
      const session = await restore(account, sid, (from) => from === found.owner && losses === otherNodes.losses);
      if (session === undefined) continue;
      this.#count(released ? 'released' : 'forced');
      return { session, from: alive ? 'elsewhere' : 'gone' };
    }
    throw new StreamError('resource-constraint', 'Your session goes from node to node: try again.');
  }

  #count(how: 'released' | 'forced'): void {
    this.#host.metrics.clusterTakeovers.with({ how }).add(1);
  }

  #inTurn<Result>(sid: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#coming.get(sid) ?? Promise.resolve();
    const done = before.then(work, work);
    this.#coming.set(sid, done);
    const forget = () => {
      if (this.#coming.get(sid) === done) this.#coming.delete(sid);
    };
    done.then(forget, forget);
    return done;
  }
}
