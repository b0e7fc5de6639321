import { type AccountRecord, DETACHED, type SessionRecord } from './account-record.ts';
import { describeEntry, type Entry, type Journal, journalKey, type StanzaEntry } from './journal.ts';
import type { Link } from './link.ts';
import { OriginTable } from './origins.ts';
import { Settling } from './settling.ts';
import type { World } from './world.ts';

/** What a node is told without having asked. */
export type Push =
  | { readonly kind: 'entry'; readonly sid: string; readonly epoch: number; readonly entry: Entry }
  /** The session was taken over; its epoch is now this. */
  | { readonly kind: 'evict'; readonly sid: string; readonly epoch: number }
  /** The journal was renamed under its owner; the epoch is now this. */
  | { readonly kind: 'renamed'; readonly sid: string; readonly epoch: number };

/** How many commands a failover may lose. */
const LONGEST_TAIL = 8;

/** All keys of a shard. Values are never changed in place, so that a copy of the maps is a copy of everything. */
interface Keys {
  /** session:{p}:bare */
  readonly records: Map<string, AccountRecord>;
  /** journal:{p}:sid:epoch */
  readonly journals: Map<string, Journal>;
  /** offline:{p}:bare */
  readonly offline: Map<string, readonly StanzaEntry[]>;
  /** origins:{p}:bare: what ended sessions had, and what was stored offline. */
  readonly ended: Map<string, OriginTable>;
  /** refusals:{p}:bare */
  readonly refused: Map<string, OriginTable>;
  /** handled:{p}:sid: the last count of a session that has ended. */
  readonly finals: Map<string, number>;
}

const emptyKeys = (): Keys => ({
  records: new Map(),
  journals: new Map(),
  offline: new Map(),
  ended: new Map(),
  refused: new Map(),
  finals: new Map(),
});

const copyOf = (keys: Keys): Keys => ({
  records: new Map(keys.records),
  journals: new Map(keys.journals),
  offline: new Map(keys.offline),
  ended: new Map(keys.ended),
  refused: new Map(keys.refused),
  finals: new Map(keys.finals),
});

/** One Redis server with a part of the accounts. */
export class Shard {
  readonly world: World;
  readonly settling = new Settling();
  #keys = emptyKeys();
  #tail: Keys[] = [];
  readonly #subscribers = new Map<string, Link>();

  constructor(world: World) {
    this.world = world;
  }

  get keys(): Keys {
    return this.#keys;
  }

  record(account: string): AccountRecord {
    return this.#keys.records.get(account) ?? { version: 0, sessions: [], blocked: [], refusals: false };
  }

  ended(account: string): OriginTable {
    return this.#keys.ended.get(account)?.copy() ?? new OriginTable(this.world.originRules);
  }

  refused(account: string): OriginTable {
    return this.#keys.refused.get(account)?.copy() ?? new OriginTable(this.world.originRules);
  }

  offline(account: string): readonly StanzaEntry[] {
    return this.#keys.offline.get(account) ?? [];
  }

  journal({ sid, epoch }: { sid: string; epoch: number }): Journal | undefined {
    return this.#keys.journals.get(journalKey(sid, epoch));
  }

  /** RPUSHX. @returns false where the journal is not there, or no longer */
  write({ sid, epoch }: Pick<SessionRecord, 'sid' | 'epoch'>, entry: Entry): boolean {
    const key = journalKey(sid, epoch);
    const journal = this.#keys.journals.get(key);
    if (journal === undefined) return false;
    this.#keys.journals.set(key, { header: journal.header, entries: [...journal.entries, entry] });
    this.world.trace?.(`${key} gets ${describeEntry(entry)}`);
    return true;
  }

  /** RPUSHX and PUBLISH. @returns false where the journal is not there, or no longer */
  append(session: Pick<SessionRecord, 'sid' | 'epoch' | 'node'>, entry: Entry): boolean {
    if (!this.write(session, entry)) return false;
    this.publish(session.node, { kind: 'entry', sid: session.sid, epoch: session.epoch, entry });
    return true;
  }

  /** RENAME, to a key that nobody else knows yet. */
  rename(sid: string, from: number, to: number): Journal | undefined {
    const journal = this.journal({ sid, epoch: from });
    if (journal === undefined) return undefined;
    if (this.world.rules.renameOnTakeover) this.#keys.journals.delete(journalKey(sid, from));
    this.#keys.journals.set(journalKey(sid, to), journal);
    return journal;
  }

  publish(node: string, push: Push): void {
    const link = node === DETACHED ? undefined : this.#subscribers.get(node);
    if (link?.open) link.push(push);
  }

  subscribe(link: Link): void {
    this.#subscribers.set(link.node.incarnation, link);
  }

  /** Keeps the state before a command, in case that a failover loses it. */
  remember(link: Link): void {
    if (!this.world.scenario.failover) return;
    // What a lost link had written is nobody's to repeat: a failover does not reach back behind it.
    if (!link.open) this.holdTail();
    else if (this.#tail.push(copyOf(this.#keys)) > LONGEST_TAIL) this.#tail.shift();
  }

  /** All that was executed until now has reached the replica. */
  holdTail(): void {
    this.#tail = [];
  }

  /** Another server takes over, without the last commands. @returns false where there is nothing to lose */
  failOver(): boolean {
    if (this.#tail.length === 0) return false;
    this.#keys = copyOf(this.world.random.pick(this.#tail));
    this.#tail = [];
    this.#subscribers.clear();
    return true;
  }
}
