import type { Log } from '../../../log.ts';
import type { Copy, EntryChange } from './copy.ts';
import type { SyncState } from './sync-state.ts';

export interface RemovalSettings {
  readonly mostRemovedPercent: number;
  readonly heldMinutes: number;
}

/** So few are never held back, unless they are all. */
const ALWAYS = 5;

/**
 * Finds out who is missing when a directory has told everything, and whether that may be believed: a directory that is
 * empty for a moment, that hides entries or was set back must not log everybody out.
 */
export class Comparison {
  readonly #copy: Copy;
  readonly #seen = new Set<string>();

  constructor(copy: Copy) {
    this.#copy = copy;
  }

  see(id: string): void {
    this.#seen.add(id);
  }

  /** Those who are known and were not seen. */
  get missing(): string[] {
    return [...this.#copy.ids()].filter((id) => !this.#seen.has(id));
  }

  /** Takes them away, or holds that back: then `false`. */
  async remove(
    missing: readonly string[],
    { state, settings, log, now }: { state: SyncState; settings: RemovalSettings; log: Log; now: number },
  ): Promise<boolean> {
    const known = this.#copy.size;
    const most = Math.max(ALWAYS, (known * settings.mostRemovedPercent) / 100);
    const suspicious = missing.length > 0 && (missing.length > most || missing.length === known);
    if (suspicious) {
      const since = state.held === 0 ? now : state.held;
      await state.saveHeld(since);
      if (now - since < settings.heldMinutes * 60_000) {
        log.error('directory.held', {
          missing: missing.length,
          known,
          message: `The directory does not show ${missing.length} of ${known} any more. They stay until that has been so for ${settings.heldMinutes} minutes: see whether it is right.`,
        });
        return false;
      }
      log.warn('directory.removed', {
        removed: missing.length,
        known,
        message: 'Those whom the directory has not shown for long are taken away.',
      });
    }
    await this.#copy.apply(missing.map((id): EntryChange => ({ id })));
    await state.saveHeld(0);
    return true;
  }
}
