import type { Keyspace } from '@parley/keyspace/keyspace';
import { directoryLeaseKeys, directoryStateKeys } from './sync-keys.ts';
import { LeaseLost } from './sync-lease.ts';
import { saveState } from './sync-operations.ts';

/** How far one thing in a directory was followed, kept for whoever follows it next. Only the holder of the lease writes. */
export class SyncState {
  readonly #keyspace: Keyspace;
  readonly #keys: [string, string];
  readonly #epoch: number;
  #cookie: Buffer | undefined;
  #shape = '';
  #completed = 0;
  #held = 0;

  private constructor(keyspace: Keyspace, keys: [string, string], epoch: number) {
    this.#keyspace = keyspace;
    this.#keys = keys;
    this.#epoch = epoch;
  }

  static async load(keyspace: Keyspace, directory: string, what: string, epoch: number): Promise<SyncState> {
    const key = directoryStateKeys.key(directory, what);
    const state = new SyncState(keyspace, [directoryLeaseKeys.key(directory), key], epoch);
    const fields = await keyspace.hgetall(key);
    const cookie = fields.get('cookie');
    state.#cookie = cookie?.length ? cookie : undefined;
    state.#shape = fields.get('shape')?.toString() ?? '';
    state.#completed = Number(fields.get('completed') ?? 0);
    state.#held = Number(fields.get('held') ?? 0);
    return state;
  }

  /** What the directory gave out last, where it belongs to what is followed now (`shape`). */
  cookie(shape: string): Buffer | undefined {
    return this.#shape === shape ? this.#cookie : undefined;
  }

  /** When everything was known for the last time, in milliseconds since 1970; 0 for never. */
  get completed(): number {
    return this.#completed;
  }

  /** Since when removals are held back; 0 where none are. */
  get held(): number {
    return this.#held;
  }

  async saveCookie(cookie: Buffer | undefined, shape: string): Promise<void> {
    await this.#save(['cookie', cookie ?? '', 'shape', shape]);
    this.#cookie = cookie;
    this.#shape = shape;
  }

  async saveCompleted(at: number): Promise<void> {
    await this.#save(['completed', String(at)]);
    this.#completed = at;
  }

  async saveHeld(since: number): Promise<void> {
    if (since === this.#held) return;
    await this.#save(['held', String(since)]);
    this.#held = since;
  }

  async #save(fields: (string | Buffer)[]): Promise<void> {
    if (!(await this.#keyspace.call(saveState, this.#keys, [this.#epoch, ...fields]))) throw new LeaseLost();
  }
}
