import { Jid } from '@parley/xmpp/jid';
import { digits } from './copy.ts';
import type { Announced, PersonChange } from './known-people.ts';
import { sameState } from './known-person.ts';
import type { IdRecord } from './person-id-record.ts';

/** What has to be written and told for a change, in this order. */
export interface Effects {
  /** What is known of an account: of the person with this id, or nothing any more. */
  readonly people: {
    id: string;
    account: string;
    record?: IdRecord;
    /** The address comes to be theirs, or they are gone, and not to another address. */
    turn?: 'enters' | 'goes';
  }[];
  readonly changes: Announced[];
  /** What is kept by id, and what was before. */
  readonly records: { id: string; record: IdRecord | undefined; before: IdRecord | undefined }[];
}

export const noEffects = (): Effects => ({ people: [], changes: [], records: [] });

/**
 * Everybody by id, and whose each address is. Where several entries have the same address it stays with the one that had
 * it first, until that one lets go of it.
 */
export class PeopleById {
  readonly #records = new Map<string, IdRecord>();
  readonly #owners = new Map<string, string>();
  /** Who has an address that is somebody else's. */
  readonly #rivals = new Map<string, Set<string>>();
  readonly #byUuid = new Map<string, string>();
  readonly #onAmbiguous: (account: string, ids: readonly string[]) => void;

  constructor(onAmbiguous: (account: string, ids: readonly string[]) => void) {
    this.#onAmbiguous = onAmbiguous;
  }

  get size(): number {
    return this.#records.size;
  }

  get(id: string): IdRecord | undefined {
    return this.#records.get(id);
  }

  entries(): Iterable<[string, IdRecord]> {
    return this.#records.entries();
  }

  /** By what the directory calls an entry when it synchronises: mostly its id. */
  idOf(entryUuid: string): string | undefined {
    return this.#byUuid.get(digits(entryUuid));
  }

  /** What was known before. */
  restore(id: string, record: IdRecord): void {
    this.#keep(id, record);
    if (record.account === '') return;
    if (this.#owners.has(record.account)) this.#rival(record.account, id);
    else this.#owners.set(record.account, id);
  }

  /** Addresses that several have. */
  get shared(): Iterable<string> {
    return this.#rivals.keys();
  }

  /** Whose an address is. */
  ownerOf(account: string): string | undefined {
    return this.#owners.get(account);
  }

  /** The address is this one's, if it is one of those who have it. */
  own(account: string, id: string): void {
    const rivals = this.#rivals.get(account);
    const owner = this.#owners.get(account);
    if (owner === undefined || rivals?.delete(id) !== true) return;
    rivals.add(owner);
    this.#owners.set(account, id);
  }

  /** Somebody is so now, or is not there any more. */
  set(id: string, next: IdRecord | undefined, effects: Effects): void {
    const before = this.#records.get(id);
    if (next === undefined) {
      if (before !== undefined) this.#remove(id, before, effects);
      return;
    }
    if (before?.account === next.account) {
      this.#change(id, before, next, effects);
      return;
    }
    this.#keep(id, next);
    effects.records.push({ id, record: next, before });
    const taken = this.#owners.get(next.account);
    const moves = taken === undefined && next.account !== '';
    const held = before !== undefined && this.#leave(id, before, effects, moves);
    if (taken !== undefined) {
      this.#rival(next.account, id);
      this.#onAmbiguous(next.account, [taken, id]);
    }
    if (taken !== undefined || next.account === '') {
      if (held) effects.changes.push({ kind: 'removed', account: Jid.parse(before.account), state: before.state });
    } else if (held) {
      this.#enter(id, next, effects, { kind: 'moved', before: Jid.parse(before.account) });
    } else this.#enter(id, next, effects, { kind: 'added' });
    if (held) this.#promote(before.account, effects);
  }

  #remove(id: string, before: IdRecord, effects: Effects): void {
    this.#records.delete(id);
    this.#byUuid.delete(digits(before.entryUuid ?? id));
    effects.records.push({ id, record: undefined, before });
    if (!this.#leave(id, before, effects)) return;
    effects.changes.push({ kind: 'removed', account: Jid.parse(before.account), state: before.state });
    this.#promote(before.account, effects);
  }

  #change(id: string, before: IdRecord, next: IdRecord, effects: Effects): void {
    if (sameState(before.state, next.state) && before.dn === next.dn && before.entryUuid === next.entryUuid) return;
    this.#keep(id, next);
    effects.records.push({ id, record: next, before });
    const { account, state } = next;
    if (this.#owners.get(account) !== id) return;
    effects.people.push({ id, account, record: next });
    const quiet = state.kind === before.state.kind;
    effects.changes.push({ kind: 'changed', account: Jid.parse(account), state, quiet });
  }

  #enter(id: string, record: IdRecord, effects: Effects, change: Pick<PersonChange, 'kind' | 'before'>): void {
    const { account, state } = record;
    this.#owners.set(account, id);
    effects.people.push({ id, account, record, turn: 'enters' });
    effects.changes.push({ ...change, account: Jid.parse(account), state });
  }

  /** True where the address was theirs. */
  #leave(id: string, { account }: IdRecord, effects: Effects, moves = false): boolean {
    if (this.#owners.get(account) !== id) {
      const rivals = this.#rivals.get(account);
      if (rivals?.delete(id) && rivals.size === 0) this.#rivals.delete(account);
      return false;
    }
    this.#owners.delete(account);
    effects.people.push(moves ? { id, account } : { id, account, turn: 'goes' });
    return true;
  }

  /** The address goes to whoever has it, too. */
  #promote(account: string, effects: Effects): void {
    const rivals = this.#rivals.get(account);
    const [id] = rivals ?? [];
    const record = id === undefined ? undefined : this.#records.get(id);
    if (rivals === undefined || id === undefined || record === undefined) return;
    rivals.delete(id);
    if (rivals.size === 0) this.#rivals.delete(account);
    this.#enter(id, record, effects, { kind: 'added' });
  }

  #keep(id: string, record: IdRecord): void {
    const before = this.#records.get(id);
    if (before !== undefined) this.#byUuid.delete(digits(before.entryUuid ?? id));
    this.#records.set(id, record);
    this.#byUuid.set(digits(record.entryUuid ?? id), id);
  }

  #rival(account: string, id: string): void {
    const rivals = this.#rivals.get(account);
    if (rivals === undefined) this.#rivals.set(account, new Set([id]));
    else rivals.add(id);
  }
}
