import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Metrics } from '@parley/metrics/registry';
import { Jid } from '@parley/xmpp/jid';
import type { Log } from '../../../log.ts';
import type { Awaitable } from '../../../pipeline.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { idAttribute, idOf } from '../entry-id.ts';
import { NoPerson, personOf } from '../person.ts';
import { type Copy, digits, type EntryChange } from './copy.ts';
import type { Announced, KnownPeople } from './known-people.ts';
import { endOf, stateAt } from './known-person.ts';
import { type Effects, noEffects, PeopleById } from './people-by-id.ts';
import { PeopleStore } from './people-store.ts';
import type { IdRecord } from './person-id-record.ts';

export interface PeopleCopyOptions {
  readonly keyspace: Keyspace;
  readonly directory: Directory;
  readonly people: KnownPeople;
  readonly metrics: Metrics;
  readonly log: Log;
  /** The number of the lease of this node. */
  readonly epoch: number;
  /** What the directory has told is kept. */
  readonly onApplied?: (changes: readonly EntryChange[]) => void;
  /** What this node does by itself, when a state ends, has failed. */
  readonly onTrouble: (error: unknown) => void;
  readonly now?: () => number;
}

const MOST_AT_ONCE = 500;
const LONGEST_TIMER = 2 ** 31 - 1;

/** The people of a directory on the node that follows it: compares, writes, and tells all nodes what has changed. */
export class PeopleCopy implements Copy {
  readonly #options: PeopleCopyOptions;
  readonly #now: () => number;
  readonly #index: PeopleById;
  readonly #store: PeopleStore;
  readonly #told = new Set<Promise<void>>();
  #queue: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: PeopleCopyOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { keyspace, directory, epoch } = options;
    this.#store = new PeopleStore(keyspace, directory.name, epoch, (...args) => this.#onSuccessor(...args));
    this.#index = new PeopleById((account, ids) =>
      options.log.warn('directory.ambiguous', {
        account,
        entries: ids.map((id) => this.#index.get(id)?.dn ?? id),
        message: 'Several entries have this address: nobody can log in with it until only one has.',
      }),
    );
  }

  /** With what was known before. */
  static async load(options: PeopleCopyOptions): Promise<PeopleCopy> {
    const copy = new PeopleCopy(options);
    const cutShort = await copy.#store.load(copy.#index);
    await copy.#store.mend(cutShort, copy.#index, (changes) => copy.#announce(changes));
    copy.#arm();
    return copy;
  }

  get size(): number {
    return this.#index.size;
  }

  has(id: string): boolean {
    return this.#index.get(id) !== undefined;
  }

  *ids(): Iterable<string> {
    for (const [id] of this.#index.entries()) yield id;
  }

  idOf(entry: Entry): string | undefined {
    return idOf(entry, idAttribute(this.#options.directory.settings));
  }

  idOfUuid(entryUuid: string): string | undefined {
    return this.#index.idOf(entryUuid);
  }

  isLost(id: string, entry: Entry): boolean {
    const before = this.#index.get(id)?.account ?? '';
    return before !== '' && personOf(entry, this.#options.directory.settings) instanceof NoPerson;
  }

  async apply(changes: readonly EntryChange[]): Promise<void> {
    for (const some of lots(changes)) {
      await this.#inOrder(async (effects) => {
        const records = await Promise.all(some.map((change) => this.#recordOf(change)));
        for (const [index, { id }] of some.entries()) this.#index.set(id, records[index], effects);
      });
      this.#touch(some);
      this.#options.onApplied?.(some);
    }
  }

  /** Those of whom the directory has news, be it nothing that is kept here: a photo, for instance. */
  #touch(changes: readonly EntryChange[]): void {
    const accounts = changes.flatMap(({ id, isNews }) => {
      const account = isNews ? this.#index.get(id)?.account : undefined;
      return account !== undefined && this.#index.ownerOf(account) === id ? [account] : [];
    });
    if (accounts.length > 0) this.#options.people.touch(accounts);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#told);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** One after the other, each whole. What fails while it is written may be written in part: then all is loaded anew. */
  #inOrder(decide: (effects: Effects) => Awaitable<void>): Promise<void> {
    const done = this.#queue.then(async () => {
      if (this.#closed) throw new Error('What was known of the directory has to be read anew.');
      const effects = noEffects();
      await decide(effects);
      try {
        await this.#store.write(effects, (changes) => this.#announce(changes));
      } catch (error) {
        this.close();
        throw error;
      }
      if (effects.records.length > 0) this.#arm();
    });
    this.#queue = done.catch(() => {}); // whoever waits for it hears of it
    return done;
  }

  async #recordOf({ id, entry, entryUuid }: EntryChange): Promise<IdRecord | undefined> {
    if (entry === undefined) return undefined;
    const { directory, log } = this.#options;
    const person = await directory.person(entry);
    const none = person instanceof NoPerson;
    if (none) {
      log.debug('directory.unusable', { dn: entry.dn, message: `It is no account: it ${person.why}.` });
    }
    const uuid = entryUuid === undefined || digits(entryUuid) === digits(id) ? undefined : entryUuid;
    return {
      account: none ? '' : person.account.bareText,
      dn: entry.dn,
      state: none ? { kind: 'active' } : stateAt(person.state, this.#now()),
      entryUuid: uuid ?? (entryUuid === undefined ? this.#index.get(id)?.entryUuid : undefined),
    };
  }

  async #announce(changes: readonly Announced[]): Promise<void> {
    const { people, log, metrics, directory } = this.#options;
    const counted = metrics.directoryChanges;
    for (const { kind, account, before, state, quiet } of changes) {
      if (quiet) continue;
      counted.with({ directory: directory.name, kind }).add(1);
      const fields = { account: account.bareText, change: kind, state: state.kind };
      if (kind === 'added') log.debug('directory.person', fields);
      else log.info('directory.person', { ...fields, before: before?.bareText });
    }
    const { everywhere } = await people.announce(changes);
    const told = everywhere.finally(() => this.#told.delete(told));
    told.catch(() => {}); // whoever waits until all is settled hears of it
    this.#told.add(told);
  }

  /** What is kept at an address is of somebody who is gone: it may be the same human being in another entry, or not. */
  async #onSuccessor(account: string, former: string, id: string): Promise<void> {
    const { people, directory, log } = this.#options;
    const anew = directory.settings.people.successors === 'startAnew';
    const what = anew ? 'is taken away' : 'is theirs now: `people.successors` may say otherwise';
    const message = `Another entry than before has this address. What was kept there ${what}.`;
    log.flood('directory.successor', { directory: directory.name, account, former, id, message });
    if (anew) await people.succeed(Jid.parse(account));
  }

  /** Waits for the next state that ends by itself. */
  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    let next = Number.POSITIVE_INFINITY;
    for (const [, { state }] of this.#index.entries()) next = Math.min(next, endOf(state));
    if (next === Number.POSITIVE_INFINITY) return;
    const wait = Math.min(Math.max(0, next - this.#now()), LONGEST_TIMER);
    this.#timer = setTimeout(() => this.#onEnd(), wait).unref();
  }

  #onEnd(): void {
    const ended = this.#inOrder((effects) => {
      const now = this.#now();
      const over = [...this.#index.entries()].filter(([, { state }]) => endOf(state) <= now);
      for (const [id, record] of over) this.#index.set(id, { ...record, state: stateAt(record.state, now) }, effects);
    });
    ended.then(() => this.#arm(), this.#options.onTrouble);
  }
}

/** Not too many at once, and each id only once. */
function* lots(changes: readonly EntryChange[]): Generator<EntryChange[], void, undefined> {
  let lot = new Map<string, EntryChange>();
  for (const change of changes) {
    if (lot.size >= MOST_AT_ONCE || lot.has(change.id)) {
      yield [...lot.values()];
      lot = new Map();
    }
    lot.set(change.id, change);
  }
  if (lot.size > 0) yield [...lot.values()];
}
