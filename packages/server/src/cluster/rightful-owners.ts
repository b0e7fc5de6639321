import { Jid } from '@parley/xmpp/jid';
import type { Log } from '../log.ts';
import type { Peers } from '../peers.ts';
import { untilDone } from '../session/attempts.ts';
import { SOUGHT } from '../session/other-nodes.ts';
import type { RecordedSession, ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Reassertion } from './reassertion.ts';
import { lookAgain } from './remote-delivery.ts';
import type { SessionMoves } from './session-moves.ts';
import type { SessionRegistry } from './session-registry.ts';

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
  /** What the keyspace has lost. */
  readonly reassertion: Pick<Reassertion, 'unsettled' | 'losses' | 'settled'>;
  readonly registry: Pick<SessionRegistry, 'assert'>;
  readonly moves: Pick<SessionMoves, 'left'>;
}

/** Somebody who has just started asks whether the keyspace has lost nothing lately. */
const SETTLED = 'keyspace-settled';
/** Somebody is about to write a session anew as they have it. */
const KEPT = 'session-kept';
/** Of a session that is kept under this epoch there is a later owner. */
const LATER = 'session-later';

/** Who waits for longer is told of. */
const SOON_MS = 500;

const WAITS =
  'Redis may have lost its newest writes, so before a session is taken over all other nodes tell it what they have of that. One of them takes long.';

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
    host.peers.on(SETTLED, () => !host.reassertion.unsettled);
    host.peers.on(SOUGHT, (text) => this.#onSought(text));
    host.peers.on(KEPT, (text) => this.#onKept(text));
    host.peers.on(LATER, (text) => this.#onLater(text));
  }

  /** This node has joined the others: if one of them knows that the keyspace has lost nothing lately, it need not ask them all. */
  async begin(): Promise<void> {
    const { peers, others, reassertion } = this.#host;
    const answers = others().map(async (node) => (await peers.ask(node, SETTLED, '')) && reassertion.settled());
    await Promise.all(answers);
  }

  /**
   * Resolves when every node that lives, this one as well, has told the keyspace what it has of the sessions of an account,
   * and of this one if it left it to another node; undefined where the keyspace has lost nothing lately.
   */
  told(account: Jid, sid = ''): Promise<void> | undefined {
    if (!this.#host.reassertion.unsettled) return undefined;
    const asked = this.#tell(account, sid);
    if (sid === '') return asked;
    const late = setTimeout(() => this.#host.log.info('resumption.waits', { message: WAITS }), SOON_MS).unref();
    return asked.finally(() => clearTimeout(late));
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

  async #tell(account: Jid, sid: string): Promise<void> {
    for (let losses = -1; losses !== this.#host.reassertion.losses; ) {
      losses = this.#host.reassertion.losses;
      await this.#askAll(SOUGHT, `${account.bareText} ${sid}`);
      await this.#assert(account, sid); // somebody may have come here meanwhile
    }
  }

  async #assert(account: Jid, sid: string): Promise<void> {
    const { sessions, registry, moves } = this.#host;
    await Promise.all([...sessions.here(account).map((session) => registry.assert(session)), moves.left(sid)]);
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
    const { store } = this.#host;
    const [bare = '', sid = ''] = text.split(' ');
    const account = Jid.parse(bare);
    // this node knows by then whether it is another store that answers
    await untilDone(
      () => store.find(account, sid),
      () => lookAgain(0),
    );
    await this.#assert(account, sid);
  }

  /** False where the asker has not heard the answer, and asks again. */
  #onKept(text: string): Promise<boolean> | undefined {
    const { id, sessions, peers } = this.#host;
    const [asker = '', sid = '', number] = text.split(' ');
    const own = sessions.owned({ sessionId: sid });
    const [epoch, ours] = [Number(number), own?.backlog?.epoch ?? -1];
    if (ours > epoch || (ours === epoch && id > asker)) return peers.ask(asker, LATER, `${sid} ${epoch}`);
    if (own?.backlog?.resumable) own.moved('another node has it');
    return undefined;
  }

  #onLater(text: string): void {
    const [sid = '', number] = text.split(' ');
    const epoch = Number(number);
    this.#later.set(sid, epoch);
    const own = this.#host.sessions.owned({ sessionId: sid });
    if (own !== undefined && (own.backlog?.epoch ?? 0) <= epoch) own.moved('another node has it');
  }
}
