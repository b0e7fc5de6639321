import { Jid } from '@parley/xmpp/jid';
import type { Log } from '../log.ts';
import type { Peers } from '../peers.ts';
import { untilDone } from '../session/attempts.ts';
import type { RecordedSession, ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import { lookAgain } from './remote-delivery.ts';

export interface RightfulOwnersHost {
  /** The id of this node. */
  readonly id: string;
  readonly sessions: Sessions;
  readonly store: ResumptionStore;
  readonly peers: Peers;
  readonly log: Pick<Log, 'info'>;
  /** The other nodes that live. */
  others(): readonly string[];
  isAlive(node: string): boolean;
  /** The keyspace has lost writes a moment ago, or this node does not know whether it has. */
  isUnsettled(): boolean;
  /** Resolves when everything of a session is in the keyspace that this node has left to another one. */
  left(sid: string): Promise<void>;
}

/** Somebody is about to take a session as the keyspace has it. */
const SOUGHT = 'session-sought';
/** Somebody is about to write a session anew as they have it. */
const KEPT = 'session-kept';
/** Of a session that is kept under this epoch there is a later owner. */
const LATER = 'session-later';

/** Who waits for longer is told of. */
const SOON_MS = 500;

const WAITS =
  'A client resumes a session here, and since Redis has lost its newest writes this node waits until all others have told it what they have of that session.';

/**
 * Whose sessions are, where the keyspace has lost its newest writes: it may know a session as it was under an earlier
 * owner, who may take it for theirs as well, having heard nothing of the later one. The nodes that live know better.
 *
 * Who has a session asks all others before writing it anew, and lets go of it where one of them has it under a higher epoch;
 * so nothing is committed twice over. Who wants to take one over has all others write what they have of it first.
 */
export class RightfulOwners {
  readonly #host: RightfulOwnersHost;
  /** Sessions that are being asked about, with the epoch under which a later owner is known. */
  readonly #later = new Map<string, number>();

  constructor(host: RightfulOwnersHost) {
    this.#host = host;
    host.peers.on(SOUGHT, (text) => this.#onSought(text));
    host.peers.on(KEPT, (text) => this.#onKept(text));
    host.peers.on(LATER, (text) => this.#onLater(text));
  }

  /**
   * Resolves when every node that lives has told the keyspace what it has of a session; undefined where the keyspace has
   * lost nothing lately.
   */
  told(account: Jid, sid: string): Promise<void> | undefined {
    if (!this.#host.isUnsettled()) return undefined;
    const late = setTimeout(() => this.#host.log.info('resumption.waits', { message: WAITS }), SOON_MS).unref();
    return this.#askAll(SOUGHT, `${sid} ${account.bareText}`).finally(() => clearTimeout(late));
  }

  /** What is recorded of a session; that there is nothing is true where nobody has to tell the keyspace of it first. */
  async find(account: Jid, sid: string): Promise<RecordedSession | undefined> {
    const { store } = this.#host;
    const found = await store.find(account, sid);
    const told = found === undefined ? this.told(account, sid) : undefined;
    return told === undefined ? found : told.then(() => store.find(account, sid));
  }

  /** Whether no other node that lives has a session of this one under a higher epoch. */
  async isUndisputed({ sessionId: sid }: Pick<Session, 'sessionId'>, epoch: number): Promise<boolean> {
    await this.#askAll(KEPT, `${this.#host.id} ${sid} ${epoch}`);
    const later = this.#later.get(sid);
    this.#later.delete(sid);
    return later === undefined || later < epoch;
  }

  /** Resolves when each of the others has answered, or is gone. */
  async #askAll(subject: string, text: string): Promise<void> {
    await Promise.all(this.#host.others().map((node) => this.#ask(node, subject, text)));
  }

  async #ask(node: string, subject: string, text: string): Promise<void> {
    const { peers, isAlive } = this.#host;
    while (!(await peers.ask(node, subject, text)) && isAlive(node)) await lookAgain(0);
  }

  async #onSought(text: string): Promise<void> {
    const { sessions, store, left } = this.#host;
    const [sid = '', account = ''] = text.split(' ');
    // this node knows by then whether it is another store that answers
    await untilDone(
      () => store.find(Jid.parse(account), sid),
      () => lookAgain(0),
    );
    const management = sessions.owned({ sessionId: sid })?.management;
    if (management?.resumable) await management.recorded();
    else await left(sid);
  }

  /** False where the asker has not heard the answer, and asks again. */
  #onKept(text: string): Promise<boolean> | undefined {
    const { id, sessions, peers } = this.#host;
    const [asker = '', sid = '', number] = text.split(' ');
    const own = sessions.owned({ sessionId: sid });
    const [epoch, ours] = [Number(number), own?.management?.epoch ?? -1];
    if (ours > epoch || (ours === epoch && id > asker)) return peers.ask(asker, LATER, `${sid} ${epoch}`);
    if (own?.management?.resumable) own.moved('another node has it');
    return undefined;
  }

  #onLater(text: string): void {
    const [sid = '', number] = text.split(' ');
    const epoch = Number(number);
    this.#later.set(sid, epoch);
    const own = this.#host.sessions.owned({ sessionId: sid });
    if (own !== undefined && (own.management?.epoch ?? 0) <= epoch) own.moved('another node has it');
  }
}
