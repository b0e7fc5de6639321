import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import type { AccountMoveProgress } from '../admin/account-administration.ts';
import { AdministrationError } from '../admin/administration-error.ts';
import type { AccountStore } from '../auth/account-store.ts';
import type { MoveRecord, MoveStore } from '../auth/moves/move-store.ts';
import type { Log } from '../log.ts';
import type { Awaitable } from '../pipeline.ts';
import { type AccountMover, AddressTaken, MoveTaken } from './account-mover.ts';

export interface AccountMovesOptions {
  readonly keyspace: Keyspace;
  readonly moves: MoveStore;
  readonly mover: AccountMover;
  readonly accounts: AccountStore;
  readonly log: Pick<Log, 'info' | 'error'>;
  /** Somebody has this address, of whatever kind the account is. */
  exists(account: Jid): Awaitable<boolean>;
}

export interface MoveWish {
  /** Who it is, where the account is known by more than its address. */
  readonly person?: string;
  /** The address was changed in a directory, where it is true already. */
  readonly directory?: true;
  /** Others do it: it is only written down. */
  readonly leave?: true;
}

const FOLLOW_MS = 100;
const AGAIN_MS = 1000;
const PATIENCE_MS = 10_000;

/** Accounts that get another address: one after the other, in the whole cluster. */
export class AccountMoves implements Disposable {
  readonly #options: AccountMovesOptions;
  /** What the lease knows this node by. */
  readonly #who = randomBytes(8).toString('hex');
  #running: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: AccountMovesOptions) {
    this.#options = options;
  }

  /**
   * Writes down that an account moves, logs it out, and sets aside what is kept of it; `run` does the rest. Throws an
   * AdministrationError where it cannot move there.
   */
  async begin(from: Jid, to: Jid, wish: MoveWish = {}): Promise<MoveRecord> {
    const { moves, mover, accounts } = this.#options;
    const known = await moves.record(from);
    if (known?.to.equals(to)) return known;
    if (known !== undefined) {
      if (!wish.directory) throw new AdministrationError('conflict', `${from} is moving to ${known.to} just now.`);
      await this.#over(known); // of whoever had the address before
    }
    const account = await accounts.find(from);
    await this.#check(from, to, account !== undefined, wish);
    const others = wish.person === undefined ? [] : await moves.records();
    let record: MoveRecord | undefined = {
      from,
      to,
      id: randomBytes(8).toString('hex'),
      since: await this.#options.keyspace.now(),
      step: 'reserve',
      internal: account !== undefined,
      disabled: account?.disabled ?? false,
      person: wish.person,
      contacts: [0, 0],
      trouble: '',
    };
    const begun = record;
    if (!(await moves.write(from, undefined, record))) return this.begin(from, to, wish);
    this.#options.log.info('account.moving', { account: from.bareText, to: to.bareText });
    // of somebody who moves on, nothing may be there yet: it is set aside when its turn comes
    const movesOn = others.some((other) => other.to.equals(from) && other.person === wish.person);
    if (wish.leave || movesOn) return begun;
    try {
      while (record !== undefined && record.step !== 'adopt') record = await mover.step(record);
    } catch (error) {
      if (error instanceof AddressTaken) {
        if (record !== undefined) await moves.write(from, record, undefined);
        throw new AdministrationError('conflict', `${to} exists already.`);
      }
      if (!(error instanceof MoveTaken)) throw error; // it is gone on with by whoever moves accounts
    }
    return record ?? begun;
  }

  /** Resolves when a move is done. */
  async #over({ from, id }: MoveRecord): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    while ((await this.#options.moves.record(from))?.id === id) {
      if (performance.now() > until)
        throw new KeyspaceError('slow', `${from} cannot move before an earlier move is done.`);
      await Promise.race([this.run(), pause(FOLLOW_MS)]);
      await pause(1);
    }
  }

  async #check(from: Jid, to: Jid, internal: boolean, { directory }: MoveWish): Promise<void> {
    const { moves, exists } = this.#options;
    if (from.equals(to)) throw new AdministrationError('invalid', `${from} is that address already.`);
    if (directory) return;
    const taken = await exists(to);
    if (internal) {
      if (taken) throw new AdministrationError('conflict', `${to} exists already.`);
      return;
    }
    if (await exists(from)) {
      const text = `${from} is an account of the directory: change its address there, and the rest follows by itself.`;
      throw new AdministrationError('refused', text);
    }
    if (!(await moves.keepsAnything(from))) {
      throw new AdministrationError('not-found', `There is no account ${from}, and nothing that one has left behind.`);
    }
    if (!taken)
      throw new AdministrationError('not-found', `There is no account ${to} that could have what ${from} had.`);
  }

  /** Has an account move, and tells how far that is. It goes on where nobody listens. */
  async *move(from: Jid, to: Jid): AsyncGenerator<AccountMoveProgress> {
    yield* this.follow(await this.begin(from, to));
  }

  /** Goes on with all that is under way, unless somebody else does. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { moves } = this.#options;
    if ((await moves.records()).length === 0) return;
    if (!(await moves.lease(this.#who))) return this.#later();
    const failed = new Set<string>();
    try {
      while (!this.#stopping) {
        const next = (await moves.records()).find(({ id }) => !failed.has(id));
        if (next === undefined) return;
        if (!(await this.#perform(next))) failed.add(next.id);
      }
    } finally {
      await moves.giveBack(this.#who);
    }
  }

  /** False where it cannot go on now. */
  async #perform(record: MoveRecord): Promise<boolean> {
    const { moves, mover, log } = this.#options;
    const names = { account: record.from.bareText, to: record.to.bareText };
    let current = record;
    try {
      while (!this.#stopping) {
        if (!(await moves.lease(this.#who))) return false;
        const next = await mover.step(current, () => moves.lease(this.#who));
        if (next === undefined) {
          log.info('account.moved', { ...names, contacts: current.contacts[1] });
          return true;
        }
        current = next;
      }
      return true;
    } catch (error) {
      if (error instanceof KeyspaceError) throw error;
      if (error instanceof MoveTaken) return false;
      log.error('account.move-failed', { ...names, step: current.step, error: error as Error });
      if (error instanceof AddressTaken) {
        await moves.write(current.from, current, undefined);
        return true;
      }
      await moves.write(current.from, current, { ...current, trouble: (error as Error).message });
      return false;
    }
  }

  /** Whoever has the lease may have looked before this one was written down. */
  #later(): void {
    clearTimeout(this.#again);
    if (this.#stopping) return;
    this.#again = setTimeout(() => void this.run().catch(() => {}), AGAIN_MS).unref();
  }

  /** How far a move has come, as it goes on, whoever takes the steps; the last is `done`. */
  async *follow({ from, id }: MoveRecord, act = true): AsyncGenerator<AccountMoveProgress> {
    for (;;) {
      if (act) void this.run().catch(() => {}); // whatever is wrong with the keyspace is told by the next line
      const record = await this.#options.moves.record(from);
      if (record?.id !== id) break;
      yield { step: record.step, contacts: record.contacts, trouble: record.trouble };
      await Promise.race([pause(FOLLOW_MS), this.#running]);
    }
    yield { step: 'done', contacts: [0, 0], trouble: '' };
  }

  [Symbol.dispose](): void {
    this.#stopping = true;
    clearTimeout(this.#again);
  }
}
