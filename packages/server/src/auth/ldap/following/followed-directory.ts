import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Metrics } from '@parley/metrics/registry';
import type { Log } from '../../../log.ts';
import type { Peers } from '../../../peers.ts';
import type { Directory } from '../directory.ts';
import { idAttribute } from '../entry-id.ts';
import type { EntryChange } from './copy.ts';
import type { Followed } from './followed.ts';
import { Following } from './following.ts';
import { KnownPeople } from './known-people.ts';
import { PeopleCopy } from './people-copy.ts';
import { syncConnection } from './sync-connection.ts';
import { SyncLease } from './sync-lease.ts';

/** Whoever else wants to know what the directory says of people, on the node that follows it. */
export interface PeopleWatch {
  /** It has told this, and it is kept. */
  applied(changes: readonly EntryChange[]): void;
  /** Everybody is known. */
  completed(): void;
}

export interface FollowedDirectoryOptions {
  readonly directory: Directory;
  readonly keyspace: Keyspace;
  readonly peers: Peers;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Who this node is; another one after each start. */
  readonly holder: string;
  /** For how long a node that is silent keeps the right to follow the directory. */
  readonly leaseMs: () => number;
  readonly onFault: (error: unknown) => void;
}

/** A directory whose changes reach all nodes: one of them follows it, the others hear of it. */
export class FollowedDirectory {
  readonly people: KnownPeople;
  readonly #options: FollowedDirectoryOptions;
  readonly #followed: Followed[];
  readonly #watches: PeopleWatch[] = [];
  readonly #end = new AbortController();
  #following: readonly Following[] = [];
  #running: Promise<void> | undefined;

  constructor(options: FollowedDirectoryOptions) {
    this.#options = options;
    const { directory, keyspace, peers, onFault, metrics, log } = options;
    this.people = new KnownPeople({ directory: directory.name, keyspace, peers, onFault });
    const { people: settings, domains, type } = directory.settings;
    this.#followed = [
      {
        what: 'people',
        base: settings.base,
        scope: settings.scope,
        filter: settings.filter,
        attributes: settings.attributes,
        id: idAttribute(directory.settings),
        meaning: JSON.stringify([type, settings.state, settings.address, settings.domain, [...domains].sort()]),
        onComplete: () => {
          this.people.completed();
          for (const watch of this.#watches) watch.completed();
        },
        load: (epoch, onTrouble) =>
          PeopleCopy.load({
            keyspace,
            directory,
            people: this.people,
            metrics,
            log,
            epoch,
            onTrouble,
            onApplied: (changes) => {
              for (const watch of this.#watches) watch.applied(changes);
            },
          }),
      },
    ];
  }

  watchPeople(watch: PeopleWatch): void {
    this.#watches.push(watch);
  }

  /** More that is followed in the same directory; before `start`. */
  add(followed: Followed): void {
    this.#followed.push(followed);
  }

  /** From now on this node follows the directory whenever no other one does. */
  start(): void {
    const { directory, keyspace, metrics, log, holder, leaseMs, onFault } = this.#options;
    const connect = (end: AbortSignal) => syncConnection(directory, end);
    this.#following = this.#followed.map(
      (followed) => new Following({ directory, followed, keyspace, metrics, log, connect, onFault }),
    );
    const onTrouble = (error: unknown) =>
      log.debug('directory.lease', { directory: directory.name, error: error as Error });
    const lease = new SyncLease({ keyspace, directory: directory.name, holder, leaseMs, onTrouble });
    this.#running = lease.keep(this.#end.signal, (epoch, signal) => this.#follow(epoch, signal));
    this.#running.catch(onFault);
  }

  /** The configuration has changed: where this node follows the directory it does as that says. */
  again(): void {
    for (const each of this.#following) each.again();
  }

  /** Lets another node follow it. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running?.catch(() => {});
  }

  async #follow(epoch: number, signal: AbortSignal): Promise<void> {
    const following = this.#following;
    const { directory, log } = this.#options;
    log.info('directory.follow', { directory: directory.name, message: 'This node follows the directory.' });
    const [people] = following;
    const stopAsking = this.people.follow(async (id) => people?.recheck([id]));
    const end = new AbortController();
    const ends = AbortSignal.any([signal, end.signal]);
    try {
      await Promise.all(following.map((each) => each.run(epoch, ends).finally(() => end.abort())));
    } finally {
      stopAsking();
    }
  }
}
