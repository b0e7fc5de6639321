import { setTimeout as pause } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Metrics } from '@parley/metrics/registry';
import type { Log } from '../../../log.ts';
import { ConnectionLost, type RawConnection } from '../connection/raw-connection.ts';
import type { Directory } from '../directory.ts';
import { DirectoryAway, DirectoryRefused } from '../directory-error.ts';
import { contentSync } from './content-sync.ts';
import type { Copy } from './copy.ts';
import { doorbell } from './doorbell.ts';
import { BeginAgain, type Follow, FollowOtherwise } from './follow.ts';
import type { Followed } from './followed.ts';
import { polling } from './polling.ts';
import { Rechecks } from './rechecks.ts';
import { LeaseLost } from './sync-lease.ts';
import { SyncState } from './sync-state.ts';
import { type SynchronisationMode as Mode, modesOf } from './synchronisation-modes.ts';

const MODES: Record<Mode, (follow: Follow) => Promise<never>> = {
  contentSynchronisation: contentSync,
  persistentSearch: (follow) => doorbell(follow, 'persistentSearch'),
  notification: (follow) => doorbell(follow, 'notification'),
  polling,
};

/**
 * RFC 4511 §4.1.9: protocolError, sizeLimitExceeded, adminLimitExceeded, unavailableCriticalExtension and
 * insufficientAccessRights. Another way may be allowed.
 */
const NOT_THIS_WAY = new Set([2, 4, 11, 12, 50]);

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** A directory that refuses for so long may have been set back, and not like what it gave out itself before. */
const REFUSED_MS = 60_000;

export interface FollowingOptions {
  readonly directory: Directory;
  readonly followed: Followed;
  readonly keyspace: Keyspace;
  readonly metrics: Metrics;
  readonly log: Log;
  connect(end: AbortSignal): Promise<RawConnection>;
  readonly onFault: (error: unknown) => void;
}

/** Follows one thing in a directory for as long as this node is the one who does: again and again where it fails. */
export class Following {
  readonly #options: FollowingOptions;
  readonly #log: Log;
  readonly #labels: { directory: string; what: string };
  #copy: Copy | undefined;
  #rechecks: Rechecks | undefined;
  #connection: RawConnection | undefined;
  #mode: Mode | undefined;
  #tried: Mode | undefined;
  /** Ways that the directory has, but does not let this account go. */
  readonly #refused = new Set<Mode>();
  #heardAt = 0;
  #wait = FIRST_WAIT_MS;
  #failed = false;
  #state: SyncState | undefined;
  #refusedAt: number | undefined;
  #attemptEnd: AbortController | undefined;

  constructor(options: FollowingOptions) {
    this.#options = options;
    const { directory, followed, metrics } = options;
    this.#labels = { directory: directory.name, what: followed.what };
    this.#log = options.log.with(this.#labels);
    metrics.directoryAge.with(this.#labels).observe(() => this.#age);
    metrics.directoryKnown.with(this.#labels).observe(() => this.#copy?.size ?? 0);
  }

  /** Looks at single entries. Does nothing where this node does not follow. */
  async recheck(ids: Iterable<string>): Promise<void> {
    await this.#rechecks?.check(ids);
  }

  /** Ends what goes on and begins anew, by what the settings say by now. */
  again(): void {
    this.#attemptEnd?.abort(new FollowOtherwise('The configuration has changed: it is followed as that says.'));
  }

  /** Resolves when `signal` aborts, or when another node follows the directory. */
  async run(epoch: number, signal: AbortSignal): Promise<void> {
    this.#heardAt = performance.now();
    try {
      while (!signal.aborted) {
        const failed = await this.#attempt(epoch, signal).catch((error: unknown) => error);
        this.#end();
        if (signal.aborted || failed instanceof LeaseLost) return;
        if (this.#isSetBack(failed)) await this.#state?.saveCookie(undefined, '').catch(() => {});
        await this.#afterwards(failed, signal);
      }
    } finally {
      this.#forget();
    }
  }

  async #attempt(epoch: number, signal: AbortSignal): Promise<never> {
    const { directory, followed, keyspace, connect } = this.#options;
    const end = new AbortController();
    this.#attemptEnd = end;
    const ends = AbortSignal.any([signal, end.signal]);
    const aborted = Promise.withResolvers<never>();
    ends.addEventListener('abort', () => aborted.reject(ends.reason));
    aborted.promise.catch(() => {});
    const following = async (): Promise<never> => {
      this.#copy ??= await followed.load(epoch, (error) => end.abort(error));
      const copy = this.#copy;
      const state = await SyncState.load(keyspace, directory.name, followed.what, epoch);
      this.#state = state;
      this.#tried = undefined;
      const mode = await this.#choose();
      this.#tried = mode;
      const rechecks = new Rechecks(directory, followed, copy);
      this.#rechecks = rechecks;
      const begun = performance.now();
      const follow: Follow = {
        directory,
        followed,
        copy,
        state,
        rechecks,
        log: this.#log,
        signal: ends,
        connect: async () => {
          this.#connection = await connect(ends);
          return this.#connection;
        },
        onComplete: () => this.#complete(mode, state, copy, begun),
        onHeld: (missing) => this.#options.metrics.directoryHeld.with(this.#labels).set(missing),
      };
      return MODES[mode](follow);
    };
    const run = following();
    run.catch(() => {});
    try {
      return await Promise.race([run, aborted.promise]);
    } finally {
      end.abort(new BeginAgain('This attempt is over.'));
      this.#connection?.close();
      await run.catch(() => {});
    }
  }

  async #choose(): Promise<Mode> {
    const { directory } = this.#options;
    const { mode } = directory.settings.synchronisation;
    if (mode !== 'auto') return mode;
    const modes = modesOf(await directory.rootDse());
    const [first = 'polling'] = modes.filter((each) => !this.#refused.has(each));
    return first;
  }

  async #complete(mode: Mode, state: SyncState, copy: Copy, begun: number): Promise<void> {
    this.#heardAt = performance.now();
    if (this.#mode === mode) return;
    await copy.settled();
    await state.saveCompleted(Date.now());
    this.#mode = mode;
    this.#wait = FIRST_WAIT_MS;
    this.#failed = false;
    this.#options.metrics.directoryFollowed.with({ ...this.#labels, mode }).set(1);
    this.#options.followed.onComplete?.();
    this.#log.info('directory.followed', {
      mode,
      known: copy.size,
      seconds: (performance.now() - begun) / 1000,
      message: 'Everything is known, and what changes from now on is heard of.',
    });
  }

  async #afterwards(error: unknown, signal: AbortSignal): Promise<void> {
    const known =
      error instanceof ConnectionLost || error instanceof DirectoryAway || error instanceof DirectoryRefused;
    if (!known && !(error instanceof BeginAgain)) this.#forget(); // what it holds may differ from what is kept
    const notThisWay = error instanceof DirectoryRefused && NOT_THIS_WAY.has(error.code);
    if (notThisWay && this.#tried !== undefined && this.#tried !== 'polling') this.#refused.add(this.#tried);
    else this.#refused.clear(); // perhaps it is allowed by now
    if (error instanceof BeginAgain) {
      const rest = error instanceof FollowOtherwise ? '' : ' Everything is looked at again.';
      this.#log.info('directory.again', { message: `${error.message}${rest}` });
      return;
    }
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    const fields = { error: error as Error, message: this.#advice(error) };
    if (this.#failed) this.#log.debug('directory.away', fields);
    else this.#log.warn('directory.away', fields);
    this.#failed = true;
    await pause(wait, undefined, { signal, ref: false }).catch(() => {});
  }

  #isSetBack(error: unknown): boolean {
    if (!(error instanceof DirectoryRefused)) this.#refusedAt = undefined;
    else this.#refusedAt ??= performance.now();
    return this.#refusedAt !== undefined && performance.now() - this.#refusedAt > REFUSED_MS;
  }

  #advice(error: unknown): string {
    const what = 'The directory cannot be followed. Everybody stays logged in, and it is tried again.';
    const code = error instanceof DirectoryRefused ? error.code : undefined;
    if (code === 4 || code === 11)
      return `${what} It gives out fewer entries than there are: lift its limit for bind.dn.`;
    if (code === 12) return `${what} It does not know this way: write another synchronisation.mode.`;
    if (code === 32) return `${what} There is no such base.`;
    if (code === 49 || code === 50) return `${what} Correct bind.dn and its password, and what it may read.`;
    return what;
  }

  get #age(): number {
    if (this.#copy === undefined) return 0;
    return (performance.now() - Math.max(this.#heardAt, this.#connection?.heardAt ?? 0)) / 1000;
  }

  #end(): void {
    if (this.#mode !== undefined)
      this.#options.metrics.directoryFollowed.with({ ...this.#labels, mode: this.#mode }).set(0);
    this.#mode = undefined;
    this.#rechecks = undefined;
    this.#heardAt = Math.max(this.#heardAt, this.#connection?.heardAt ?? 0);
    this.#connection = undefined;
  }

  #forget(): void {
    this.#copy?.close();
    this.#copy = undefined;
  }
}
