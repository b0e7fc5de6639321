import { partition } from '@parley/keyspace/key';
import type { Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { Jid } from '@parley/xmpp/jid';
import { accountIndexKeys, accountKeys } from '../account-store.ts';
import { arrivingKeys, MARK, moveKeys, moverKeys, movingKeys } from './move-keys.ts';
import { adopt, leaseMoves, takeAside, writeMove } from './move-operations.ts';
import type { Move, MoveRule } from './move-rule.ts';

/** In this order. What is done twice, or by two nodes at once, is as if it were done once. */
export const MOVE_STEPS = ['reserve', 'lock', 'take', 'adopt', 'contacts', 'open', 'drop'] as const;
export type MoveStep = (typeof MOVE_STEPS)[number];

/** What is known of a move: what it is, and the step that comes next. */
export interface MoveRecord extends Move {
  readonly id: string;
  /** When it was asked for, in milliseconds since 1970: they are done in this order. */
  readonly since: number;
  readonly step: MoveStep;
  /** The account is one that the server keeps itself: its password moves, too. */
  readonly internal: boolean;
  /** It was disabled before it moved, and is so afterwards. */
  readonly disabled: boolean;
  /** Who it is, where the account is known by more than its address. */
  readonly person: string | undefined;
  /** How many contacts there are, and how many of them have the new address. */
  readonly contacts: readonly [done: number, all: number];
  /** Why it does not go on, in words; '' while it does. */
  readonly trouble: string;
}

/** Keys of which an account has one each, and what becomes of them. */
export interface Belonging {
  readonly keys: Keys;
  readonly rule: MoveRule | undefined;
}

/** What moves of the keys that modules declare. */
export function belongingsOf(modules: readonly { keys?: readonly Keys[]; moves?: readonly MoveRule[] }[]): Belonging[] {
  const rules = modules.flatMap(({ moves }) => moves ?? []);
  return modules
    .flatMap(({ keys }) => keys ?? [])
    .filter(({ scope = 'account', parts = [] }) => scope === 'account' && parts.length === 0)
    .map((keys) => ({ keys, rule: rules.find((rule) => rule.keys === keys) }))
    .filter(({ rule }) => rule?.stays !== true);
}

/** Entries and bytes that one operation brings at most. */
const PAGE_ENTRIES = 500;
const PAGE_BYTES = 262_144;

/** Who moves accounts and dies is followed by another one after this time. */
export const LEASE_MS = 15_000;

/** Moves of accounts, and what is under way with them. Works with nothing but a keyspace. */
export class MoveStore {
  readonly #keyspace: Keyspace;
  readonly belongings: readonly Belonging[];

  constructor(keyspace: Keyspace, belongings: readonly Belonging[]) {
    this.#keyspace = keyspace;
    this.belongings = belongings;
  }

  /** Those that are not done yet, in the order in which they were asked for. */
  async records(): Promise<MoveRecord[]> {
    const texts = await this.#keyspace.hgetall(moveKeys.key());
    return [...texts.values()].map(readRecord).sort((a, b) => a.since - b.since);
  }

  async record(from: Jid): Promise<MoveRecord | undefined> {
    const text = await this.#keyspace.hget(moveKeys.key(), from.bareText);
    return text && readRecord(text);
  }

  /** False where something else is known of the move by now: somebody else goes on with it, or it is over. */
  write(from: Jid, known: MoveRecord | undefined, next: MoveRecord | undefined): Promise<boolean> {
    const texts = [known, next].map((record) => (record === undefined ? '' : recordText(record)));
    return this.#keyspace.call(writeMove, [moveKeys.key()], [from.bareText, ...texts]);
  }

  /** True where `who` alone moves accounts from now on, for `LEASE_MS`. */
  lease(who: string): Promise<boolean> {
    return this.#keyspace.call(leaseMoves, [moverKeys.key()], [who, LEASE_MS]);
  }

  async giveBack(who: string): Promise<void> {
    await this.#keyspace.call(leaseMoves, [moverKeys.key()], [who, 0]);
  }

  /** Whether anything is kept for this address that would move. */
  async keepsAnything({ bareText }: Jid): Promise<boolean> {
    for (const { keys } of this.belongings) {
      if ((await this.#entries(keys, keys.key(bareText))).length > 0) return true;
    }
    return false;
  }

  /** Sets everything aside, the account itself too. */
  async take({ id, from }: MoveRecord): Promise<void> {
    const { bareText } = from;
    const pairs = [accountKeys, ...this.belongings.map(({ keys }) => keys)].flatMap((keys) => [
      keys.key(bareText),
      movingKeys.key(bareText, keys.name),
    ]);
    const index = accountIndexKeys.key(String(partition(bareText)), from.domain);
    await this.#keyspace.call(takeAside, [movingKeys.key(bareText, MARK), index, ...pairs], [id, bareText]);
  }

  /** What was set aside under the name of a hash. */
  taken(from: Jid, keys: Keys): Promise<Map<string, Buffer>> {
    return this.#keyspace.hgetall(movingKeys.key(from.bareText, keys.name));
  }

  /** The new address expects what was set aside. */
  async expect({ id, to }: MoveRecord): Promise<void> {
    const key = arrivingKeys.key(to.bareText);
    const other = (await this.#keyspace.hget(key, MARK))?.toString();
    if (other === id) return;
    if (other !== undefined) await this.#keyspace.del(key); // of a move that was over before
    await this.#keyspace.hset(key, [[MARK, id]]);
  }

  /** Adds what was set aside of one kind to what there is at the new address. */
  async bring(move: MoveRecord, { keys, rule }: Belonging): Promise<void> {
    const { id, from, to } = move;
    const { bareText } = to;
    const entries: Buffer[][] = [];
    for (const [field, value] of await this.#entries(keys, movingKeys.key(from.bareText, keys.name))) {
      const converted = rule?.convert === undefined ? value : rule.convert(value, field, move);
      if (converted !== undefined) entries.push(keys.type === 'hash' ? [Buffer.from(field), converted] : [converted]);
    }
    const targets = [keys.key(bareText), arrivingKeys.key(bareText)];
    for (let first = 0; first < entries.length; ) {
      const args = [id, keys.type, keys.name, first, ...page(entries, first)];
      const come = await this.#keyspace.call(adopt, targets, args);
      if (come < 0) return;
      first = come;
    }
    await rule?.settle?.(this.#keyspace, move);
  }

  /** The new address has everything. */
  async drop({ from, to }: MoveRecord): Promise<void> {
    const names = [accountKeys.name, ...this.belongings.map(({ keys }) => keys.name), MARK];
    await this.#keyspace.del(...names.map((name) => movingKeys.key(from.bareText, name)));
    await this.#keyspace.del(arrivingKeys.key(to.bareText));
  }

  async #entries({ name, type }: Keys, key: string): Promise<(readonly [field: string, value: Buffer])[]> {
    const plain = (value: Buffer) => ['', value] as const;
    switch (type) {
      case 'hash':
        // what is left off is gone on with, so they always come in the same order
        return [...(await this.#keyspace.hgetall(key))].sort(([a], [b]) => (a < b ? -1 : 1));
      case 'list':
        return (await this.#keyspace.lrange(key, 0, -1)).map(plain);
      case 'set':
        return (await this.#keyspace.smembers(key)).map(plain).sort(([, a], [, b]) => a.compare(b));
      case 'string': {
        const value = await this.#keyspace.get(key);
        return value === undefined ? [] : [plain(value)];
      }
      default:
        throw new TypeError(`What is kept under ${name} cannot move: give it a rule.`);
    }
  }
}

/** As many of the entries from this one on as one operation brings, one after the other. */
function page(entries: readonly Buffer[][], first: number): Buffer[] {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const entry of entries.slice(first, first + PAGE_ENTRIES)) {
    bytes += entry.reduce((sum, { length }) => sum + length, 0);
    if (parts.length > 0 && bytes > PAGE_BYTES) break;
    parts.push(...entry);
  }
  return parts;
}

/** Always the same text for the same record: it is compared with what is kept. */
function recordText({ from, to, ...rest }: MoveRecord): string {
  const { id, since, step, internal, disabled, person, contacts, trouble } = rest;
  const [old, next] = [from.bareText, to.bareText];
  return JSON.stringify({ from: old, to: next, id, since, step, internal, disabled, person, contacts, trouble });
}

function readRecord(text: Buffer): MoveRecord {
  const kept = JSON.parse(text.toString()) as Omit<MoveRecord, keyof Move> & { from: string; to: string };
  return { ...kept, from: Jid.parse(kept.from), to: Jid.parse(kept.to) };
}
