import type { Keyspace } from '@parley/keyspace/keyspace';
import { Jid } from '@parley/xmpp/jid';
import { presence, type Stanza } from '@parley/xmpp/stanza';
import { type AccountStore, accountKeys } from '../auth/account-store.ts';
import { MOVE_STEPS, type MoveRecord, type MoveStore } from '../auth/moves/move-store.ts';
import type { Awaitable } from '../pipeline.ts';
import { HEAD } from './operations/change-roster.ts';
import { decodeItem, encodeItem, type RosterItem } from './roster-item.ts';
import { type MovedContact, mergedItem, moveInRoster } from './roster-moves.ts';
import { type RosterStore, requestKeys, rosterKeys } from './roster-store.ts';
import { isFrom, isTo } from './subscription-state.ts';

export interface AccountMoverHost {
  readonly keyspace: Keyspace;
  readonly moves: MoveStore;
  readonly accounts: AccountStore;
  isLocal(jid: Jid): boolean;
  /** Every node knows, and ends the sessions of the account. */
  tell(account: Jid, change: 'moved' | 'arrived', movedTo?: Jid): Promise<void>;
  /** Resolves when the account has no session any more, or after a while all the same. */
  loggedOut(account: Jid): Promise<void>;
  /** A contact has another address in the roster of an account: every node knows, and so do its clients. */
  onContactMoved(account: Jid, from: Jid, contact: MovedContact): Awaitable<void>;
  /** Undefined where there is nobody who could. */
  route?(stanza: Stanza): Awaitable<void>;
  readonly rosters: Pick<RosterStore, 'change'>;
}

/** Contacts after which it is written down how many there were. */
const CONTACTS_PER_RECORD = 50;

/** Somebody else goes on with the move, or it is over. */
export class MoveTaken extends Error {}

/** The address belongs to somebody else by now. */
export class AddressTaken extends Error {}

/**
 * Takes the steps of a move. Whoever has the record can go on with it: each step may be cut short at any point and taken
 * again, and then all is as if it had been taken once. Old and new address may lie on different nodes of a Redis Cluster,
 * so nothing changes in both of them at once: what is kept is set aside, brought to the new address, and only then deleted.
 */
export class AccountMover {
  readonly #host: AccountMoverHost;

  constructor(host: AccountMoverHost) {
    this.#host = host;
  }

  /**
   * Takes the next step, and resolves with what comes then; undefined where that was the last one. In a long one
   * `onProgress` is called now and then.
   */
  async step(record: MoveRecord, onProgress?: () => Promise<unknown>): Promise<MoveRecord | undefined> {
    const done = await this.#take(record, onProgress);
    const step = MOVE_STEPS[MOVE_STEPS.indexOf(record.step) + 1];
    const next = step === undefined ? undefined : { ...done, step, trouble: '' };
    await this.#write(done, next);
    return next;
  }

  async #write(known: MoveRecord, next: MoveRecord | undefined): Promise<void> {
    if (!(await this.#host.moves.write(known.from, known, next))) throw new MoveTaken();
  }

  async #take(record: MoveRecord, onProgress?: () => Promise<unknown>): Promise<MoveRecord> {
    const { moves, accounts } = this.#host;
    const { from, to, id, internal, disabled } = record;
    switch (record.step) {
      case 'reserve':
        if (internal && !(await accounts.reserve(from, to, id))) throw new AddressTaken(to.bareText);
        return record;
      case 'lock':
        // it still exists: what its clients have not acknowledged is stored for it
        if (internal) await accounts.setDisabled(from, true);
        await this.#host.tell(from, 'moved', to);
        await this.#host.loggedOut(from);
        return record;
      case 'take':
        await moves.take(record);
        await this.#host.tell(from, 'moved', to);
        return record;
      case 'adopt':
        await moves.expect(record);
        return this.#bring(record);
      case 'contacts':
        return this.#moveContacts(record, onProgress);
      case 'open':
        if (internal) await accounts.open(to, id, await moves.taken(from, accountKeys), disabled);
        await this.#host.tell(to, 'arrived');
        return record;
      case 'drop':
        await moves.drop(record);
        return record;
    }
  }

  async #bring(record: MoveRecord): Promise<MoveRecord> {
    const { moves } = this.#host;
    const displaces = await this.#displaces(record);
    for (const belonging of moves.belongings) await moves.bring({ ...record, displaces }, belonging);
    return record;
  }

  /** Accounts move one after the other: who moves away from the new address still does so when this one is there. */
  async #displaces({ to }: MoveRecord): Promise<boolean> {
    return (await this.#host.moves.record(to)) !== undefined;
  }

  async #moveContacts(record: MoveRecord, onProgress?: () => Promise<unknown>): Promise<MoveRecord> {
    const { from, to } = record;
    const roster = await this.#host.moves.taken(from, rosterKeys);
    roster.delete(HEAD);
    const requests = await this.#host.moves.taken(from, requestKeys);
    const contacts = new Set([...roster.keys(), ...requests.keys()]);
    if (!(await this.#displaces(record))) contacts.delete(to.bareText);
    let current = record;
    let done = 0;
    for (const contact of [...contacts].sort()) {
      const kept = roster.get(contact);
      const item = kept && decodeItem(contact, kept);
      const jid = Jid.parse(contact);
      if (this.#host.isLocal(jid)) await this.#moveLocal(record, jid, item);
      else await this.#moveRemote(record, jid, item);
      if (++done % CONTACTS_PER_RECORD > 0 && done < contacts.size) continue;
      const next = { ...current, contacts: [done, contacts.size] as const };
      await this.#write(current, next);
      current = next;
      await onProgress?.();
    }
    return current;
  }

  /** The rosters of our own accounts are changed as the user would: no subscription has to be asked for again. */
  async #moveLocal(record: MoveRecord, account: Jid, item: RosterItem | undefined): Promise<void> {
    const { keyspace, rosters, onContactMoved } = this.#host;
    const moved = await moveInRoster(keyspace, account, record);
    if (moved === undefined) return;
    // the new address may have known the contact itself
    await rosters.change(record.to, account, (there) => {
      if (item === undefined || there === undefined) return undefined;
      const both = mergedItem(item, there);
      return encodeItem(both) === encodeItem(there) ? undefined : { item: both };
    });
    await onContactMoved(account, record.from, moved);
  }

  /**
   * RFC 6121 §3: the server of the contact knows nothing of a move. The former address parts as if it were removed, the
   * new one asks anew, and lets the contact ask without being approved again (§3.4).
   */
  async #moveRemote({ from, to }: MoveRecord, contact: Jid, item: RosterItem | undefined): Promise<void> {
    const asks = item !== undefined && (item.ask || isTo(item.subscription));
    const approved = item !== undefined && (item.approved || isFrom(item.subscription));
    const stanzas: Stanza[] = [];
    if (asks) stanzas.push(presence({ from, to: contact, type: 'unsubscribe' }));
    if (item === undefined || isFrom(item.subscription)) {
      stanzas.push(presence({ from, to: contact, type: 'unsubscribed' }));
    }
    const { after } = await this.#host.rosters.change(to, contact, (there, requestWaits) => ({
      // only what came from the former address: what the new one has agreed with the contact stands
      ...(item !== undefined &&
        there !== undefined &&
        encodeItem(there) === encodeItem(item) && {
          item: { ...item, subscription: 'none', ask: asks, approved },
        }),
      // the contact has asked the former address, and knows nothing of this one
      ...(requestWaits && { request: 'remove' }),
    }));
    if (after?.ask) stanzas.push(presence({ from: to, to: contact, type: 'subscribe' }));
    for (const stanza of stanzas) await this.#host.route?.(stanza);
  }
}
