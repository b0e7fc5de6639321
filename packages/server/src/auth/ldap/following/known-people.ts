import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import type { Peers } from '../../../peers.ts';
import type { Awaitable } from '../../../pipeline.ts';
import { AccountCache } from '../../account-cache.ts';
import type { Person } from '../person.ts';
import type { PersonState } from '../person-state.ts';
import { type KnownPerson, readPerson, sameState, stateAt } from './known-person.ts';
import { directoryStateKeys, personKeys } from './sync-keys.ts';

/** What became of somebody in the directory. */
export interface PersonChange {
  readonly kind: 'added' | 'changed' | 'removed' | 'moved';
  readonly account: Jid;
  /** The address that somebody who moved had before. */
  readonly before?: Jid;
  /** As it is now; of somebody who was removed, as it was. */
  readonly state: PersonState;
  /** Another node follows the directory, and does what is to be done once. */
  readonly elsewhere?: true;
}

/** With what is of no interest to listeners: another DN, or another end of the same state. */
export type Announced = PersonChange & { readonly quiet?: boolean };

export interface KnownPeopleOptions {
  readonly directory: string;
  readonly keyspace: Keyspace;
  readonly peers: Peers;
  readonly onFault: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What nodes tell each other of a change. */
interface Told {
  readonly kind: PersonChange['kind'];
  readonly account: string;
  readonly before?: string;
  readonly state: PersonState;
  readonly quiet?: boolean;
}

interface Message {
  readonly changes?: readonly Told[];
  /** The id of somebody to look at. */
  readonly recheck?: string;
  /** Everybody is known. */
  readonly complete?: boolean;
  /** Something of their entries has changed, which may be nothing that is known of them here. */
  readonly touched?: readonly string[];
}

/** Those who are met while nobody follows the directory, as far as it has use to remember them. */
const MOST_UNSEEN = 10_000;

/** How soon it is looked again whether everybody is known. */
const LOOK_AGAIN_MS = 1000;

/**
 * Who is in a directory, without asking it: kept in the keyspace by the one node that follows the directory, and in
 * memory by all nodes as far as they have use for it.
 */
export class KnownPeople {
  readonly directory: string;
  readonly #keyspace: Keyspace;
  readonly #peers: Peers;
  readonly #onFault: (error: unknown) => void;
  readonly #now: () => number;
  readonly #cache: AccountCache<KnownPerson>;
  readonly #listeners: ((change: PersonChange) => Awaitable<void>)[] = [];
  readonly #onTouched: ((account: Jid) => void)[] = [];
  readonly #onSuccessor: ((account: Jid) => Promise<void>)[] = [];
  readonly #subject: string;
  /** People who have logged in while nobody followed the directory. */
  readonly #unseen = new Map<string, Person>();
  #recheck: ((id: string) => Promise<void>) | undefined;
  #complete = false;
  #looked = Number.NEGATIVE_INFINITY;

  constructor({ directory, keyspace, peers, onFault, now = Date.now }: KnownPeopleOptions) {
    this.directory = directory;
    this.#keyspace = keyspace;
    this.#peers = peers;
    this.#onFault = onFault;
    this.#now = now;
    this.#cache = new AccountCache((account) => this.#read(account));
    this.#subject = `people of ${directory}`;
    peers.on(this.#subject, (text) => this.#onTold(text));
  }

  /** What is known of an account, with its state as it is now; at once where it was asked for before. */
  get(account: Jid): Awaitable<KnownPerson | undefined> {
    const person = this.#cache.get(account);
    return person instanceof Promise ? person.then((known) => this.#current(known)) : this.#current(person);
  }

  /** Whether everybody in the directory is known: false until it was read for the first time. */
  async complete(): Promise<boolean> {
    if (this.#complete || performance.now() - this.#looked < LOOK_AGAIN_MS) return this.#complete;
    this.#looked = performance.now();
    const fields = await this.#keyspace.hgetall(directoryStateKeys.key(this.directory, 'people'));
    this.#complete = Number(fields.get('completed') ?? 0) > 0;
    return this.#complete;
  }

  /** This node follows the directory, and knows everybody now. */
  completed(): void {
    void this.#onComplete().catch(this.#onFault);
    this.#peers.tell(this.#subject, JSON.stringify({ complete: true }))?.catch(this.#onFault);
  }

  /**
   * The directory itself has just told this of somebody, at a login for instance. Where it is not what is known, the node
   * that follows the directory looks, too, and tells everybody; resolves when that is done. Where nobody follows it at
   * the moment nothing changes until somebody does.
   */
  async learn(person: Person): Promise<void> {
    const { account, id } = person;
    this.#cache.forget(account); // the newest counts
    if (isSame(await this.get(account), person, this.#now())) return;
    // it alone says what has changed, so that this is said once and in order
    await Promise.all([this.#recheck?.(id), this.#peers.tell(this.#subject, JSON.stringify({ recheck: id }))]);
    this.#cache.forget(account);
    if (isSame(await this.get(account), person, this.#now())) return;
    if (this.#unseen.size >= MOST_UNSEEN) this.#unseen.delete(this.#unseen.keys().next().value ?? '');
    this.#unseen.set(account.bareText, person);
  }

  /** Everybody is known now: those who have logged in before that, and are not as they were, are told of. */
  async #onComplete(): Promise<void> {
    this.#complete = true;
    const unseen = [...this.#unseen.values()];
    this.#unseen.clear();
    for (const person of unseen) {
      const { account, state } = person;
      this.#cache.forget(account);
      const known = await this.get(account);
      if (isSame(known, person, this.#now())) continue;
      await this.#tell([
        { kind: known ? 'changed' : 'removed', account, state: known?.state ?? state, elsewhere: true },
      ]);
    }
  }

  /** Whoever follows the directory waits for the listeners. */
  onChange(listener: (change: PersonChange) => Awaitable<void>): void {
    this.#listeners.push(listener);
  }

  /** Called with everybody of whose entry something has changed, whatever it is. */
  onTouched(listener: (account: Jid) => void): void {
    this.#onTouched.push(listener);
  }

  /**
   * Called, on the node that follows the directory, with an address that comes to be that of another person, who is to
   * find nothing there; before anybody knows of it.
   */
  onSuccessor(listener: (account: Jid) => Promise<void>): void {
    this.#onSuccessor.push(listener);
  }

  async succeed(account: Jid): Promise<void> {
    for (const listener of this.#onSuccessor) await listener(account);
  }

  /** Tells all nodes that something of these has changed. */
  touch(accounts: readonly string[]): void {
    this.#tellTouched(accounts);
    this.#peers.tell(this.#subject, JSON.stringify({ touched: accounts }))?.catch(this.#onFault);
  }

  #tellTouched(accounts: readonly string[]): void {
    for (const account of accounts.map((text) => Jid.parse(text))) {
      for (const listener of this.#onTouched) listener(account);
    }
  }

  /** This node follows the directory: it is asked to look at somebody. The returned function ends that. */
  follow(recheck: (id: string) => Promise<void>): () => void {
    this.#recheck = recheck;
    return () => {
      if (this.#recheck === recheck) this.#recheck = undefined;
    };
  }

  /**
   * Tells what has changed, here and on all other nodes. Resolves when the listeners here are done; `everywhere` when
   * those of the others are, too.
   */
  async announce(changes: readonly Announced[]): Promise<{ everywhere: Promise<void> }> {
    for (const change of changes) this.#forget(change);
    const told = changes.map(
      ({ kind, account, before, state, quiet }): Told => ({
        kind,
        account: account.bareText,
        ...(before && { before: before.bareText }),
        ...(quiet && { quiet }),
        state,
      }),
    );
    const everywhere = Promise.resolve(this.#peers.tell(this.#subject, JSON.stringify({ changes: told })));
    everywhere.catch(() => {}); // whoever waits for it hears of it
    await this.#tell(changes);
    return { everywhere };
  }

  async #onTold(text: string): Promise<void> {
    const { changes = [], recheck, complete, touched = [] } = JSON.parse(text) as Message;
    this.#tellTouched(touched);
    if (complete) await this.#onComplete();
    if (recheck !== undefined) await this.#recheck?.(recheck);
    const heard = changes.map(
      ({ kind, account, before, state, quiet = false }): Announced => ({
        kind,
        account: Jid.parse(account),
        ...(before !== undefined && { before: Jid.parse(before) }),
        state,
        quiet,
        elsewhere: true,
      }),
    );
    for (const change of heard) this.#forget(change);
    await this.#tell(heard);
  }

  /** Rejects where a listener could not keep what it has to: whoever follows the directory tells it again then. */
  async #tell(changes: readonly Announced[]): Promise<void> {
    let unkept: KeyspaceError | undefined;
    const loud = changes.filter(({ quiet }) => !quiet);
    const told = loud.flatMap((change) =>
      this.#listeners.map(async (listener) => {
        try {
          await listener(change);
        } catch (error) {
          if (error instanceof KeyspaceError) unkept = error;
          else this.#onFault(error);
        }
      }),
    );
    await Promise.all(told);
    if (unkept !== undefined) throw unkept;
  }

  #forget({ account, before }: PersonChange): void {
    this.#cache.forget(account);
    if (before !== undefined) this.#cache.forget(before);
  }

  #current(known: KnownPerson | undefined): KnownPerson | undefined {
    if (known === undefined) return undefined;
    const state = stateAt(known.state, this.#now());
    return state === known.state ? known : { ...known, state };
  }

  async #read(account: Jid): Promise<KnownPerson | undefined> {
    return readPerson(await this.#keyspace.hgetall(personKeys.key(account.bareText, this.directory)));
  }
}

const isSame = (known: KnownPerson | undefined, { id, state }: Person, now: number): boolean =>
  known?.id === id && sameState(known.state, stateAt(state, now));
