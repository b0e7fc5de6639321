import { SearchRequest } from 'ldapts';
import { keepAlive } from '../connection/keep-alive.ts';
import { type LdapMessage, RESPONSE, readEntry, readResult } from '../connection/message.ts';
import { DirectoryRefused } from '../directory-error.ts';
import { entryOf } from '../entry.ts';
import { Comparison } from './comparison.ts';
import {
  type EntryState,
  readEntryState,
  readSyncInfo,
  SYNC_REFRESH_REQUIRED,
  type SyncInfo,
  SyncRequestControl,
} from './content-sync-messages.ts';
import { CookieKeeper } from './cookie-keeper.ts';
import type { EntryChange } from './copy.ts';
import { BeginAgain, type Follow } from './follow.ts';
import { shapeOf } from './followed.ts';

/**
 * Follows a directory by content synchronisation (RFC 4533, refreshAndPersist), from where it was left. Ends with an
 * error; what was taken over until then is kept.
 */
export async function contentSync(follow: Follow): Promise<never> {
  const { followed, state } = follow;
  const { base, scope, filter, attributes } = followed;
  const cookie = state.cookie(shapeOf(followed));
  const connection = await follow.connect();
  const refresh = new ContentRefresh(follow, cookie);
  const search = connection.search(
    new SearchRequest({
      messageId: 0,
      baseDN: base,
      scope,
      filter,
      attributes: [...attributes],
      timeLimit: 0,
      controls: [new SyncRequestControl(cookie)],
    }),
  );
  const { keepAliveSeconds } = follow.directory.settings.synchronisation;
  using _ = keepAlive(connection, keepAliveSeconds * 1000, follow.directory.settings.timeoutSeconds * 1000);
  const again = AbortSignal.any([refresh.again, refresh.cookies.failed]);
  const stop = () => connection.destroy('It is begun again.');
  again.addEventListener('abort', stop);
  try {
    for (;;) await refresh.take(await search.next());
  } catch (error) {
    // with the same cookie the directory would tell the same again
    if (refresh.again.aborted) await state.saveCookie(undefined, '');
    throw again.aborted ? again.reason : error;
  } finally {
    again.removeEventListener('abort', stop);
    refresh[Symbol.dispose]();
  }
}

/** What the answers mean, one after the other. */
class ContentRefresh implements Disposable {
  readonly cookies: CookieKeeper;
  readonly #follow: Follow;
  readonly #comparison: Comparison;
  readonly #again = new AbortController();
  readonly #deleted = new Set<string>();
  readonly #full: boolean;
  #refreshing = true;
  /** Whoever is not named in it is gone (§3.3.2). */
  #presentPhase = false;
  #cookie: Buffer | undefined;
  #changes: EntryChange[] = [];
  /** Entries that are of no use any more, which count as missing; the directory thinks that we know them. */
  readonly #lost: EntryChange[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(follow: Follow, cookie: Buffer | undefined) {
    this.#follow = follow;
    this.#comparison = new Comparison(follow.copy);
    this.#full = cookie === undefined;
    follow.rechecks.onChecked((id) => this.#comparison.see(id));
    this.cookies = new CookieKeeper(follow.copy, (next) => follow.state.saveCookie(next, shapeOf(follow.followed)));
  }

  /** Aborted when all has to be looked at again. */
  get again(): AbortSignal {
    return this.#again.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  async take(messages: readonly LdapMessage[]): Promise<void> {
    for (const message of messages) {
      if (message.operation === RESPONSE.entry) this.#onEntry(message, readEntryState(message));
      else if (message.operation === RESPONSE.intermediate) await this.#onInfo(readSyncInfo(message));
      else if (message.operation === RESPONSE.searchDone) await this.#onDone(message);
    }
    await this.#apply();
    if (!this.#refreshing && this.#cookie !== undefined) this.cookies.keep(this.#cookie);
    if (!this.#refreshing) this.#cookie = undefined;
  }

  #onEntry(message: LdapMessage, { state, entryUuid, cookie }: EntryState): void {
    this.#cookie = cookie ?? this.#cookie;
    if (state === 'present') this.#present(entryUuid);
    else if (state === 'delete') this.#delete(entryUuid);
    else {
      const { dn, attributes } = readEntry(message);
      const entry = entryOf(dn, attributes);
      const id = this.#follow.copy.idOf(entry);
      if (id === undefined) {
        this.#withoutId(dn, entryUuid);
        return;
      }
      const whole = this.#refreshing && this.#full;
      if (whole && this.#follow.copy.isLost?.(id, entry)) {
        this.#lost.push({ id, entry, entryUuid });
        return;
      }
      this.#comparison.see(id);
      this.#deleted.delete(id);
      this.#changes.push({ id, entry, entryUuid, isNews: !whole });
    }
  }

  #withoutId(dn: string, entryUuid: string): void {
    const { followed, log } = this.#follow;
    log.flood('directory.unusable', { dn, message: `It is left out: it has no ${followed.id.attribute}.` });
    this.#delete(entryUuid);
  }

  async #onInfo(info: SyncInfo | undefined): Promise<void> {
    if (info === undefined) return;
    this.#cookie = info.cookie ?? this.#cookie;
    if (info.kind === 'ids') {
      for (const each of info.entryUuids) info.deleted ? this.#delete(each) : this.#present(each);
    } else if (info.kind !== 'cookie') {
      if (info.kind === 'refresh-present') this.#presentPhase = true;
      if (info.done && this.#refreshing) await this.#refreshed();
    }
  }

  #present(entryUuid: string): void {
    const id = this.#idOf(entryUuid);
    // somebody is there whom we do not know, and the directory thinks that we do
    if (id === undefined) this.#beginAgain('The directory tells of an entry that it has not told of before.');
    else this.#comparison.see(id);
  }

  #delete(entryUuid: string): void {
    const id = this.#idOf(entryUuid);
    if (id === undefined) return;
    if (this.#refreshing) this.#deleted.add(id);
    else this.#changes.push({ id });
  }

  /** Also of those who came in the same turn. */
  #idOf(entryUuid: string): string | undefined {
    const known = this.#follow.copy.idOfUuid(entryUuid);
    return known ?? this.#changes.findLast((change) => change.entryUuid === entryUuid)?.id;
  }

  async #apply(): Promise<void> {
    const changes = this.#changes;
    this.#changes = [];
    if (changes.length === 0) return;
    this.#follow.rechecks.told(changes);
    await this.#follow.copy.apply(changes);
  }

  /** Everything is told that was so when it began: whoever is missing is gone. */
  async #refreshed(): Promise<void> {
    const { copy, state, log, directory } = this.#follow;
    await this.#apply();
    const missing = this.#full || this.#presentPhase ? this.#comparison.missing : [];
    const all = [...new Set([...missing, ...this.#deleted])].filter((id) => copy.has(id));
    const settings = directory.settings.synchronisation;
    const believed = await this.#comparison.remove(all, { state, settings, log, now: Date.now() });
    this.#follow.onHeld(believed ? 0 : all.length);
    this.#refreshing = false;
    this.#deleted.clear();
    if (believed) await copy.apply(this.#lost.splice(0));
    if (believed) await this.#follow.onComplete();
    else {
      // with the cookie the directory would not tell of them again
      this.cookies.forget();
      await state.saveCookie(undefined, '');
      const wait = state.held + settings.heldMinutes * 60_000 - Date.now();
      this.#timer = setTimeout(
        () => this.#beginAgain('It is looked again who is missing.'),
        Math.max(1000, wait),
      ).unref();
    }
  }

  async #onDone(message: LdapMessage): Promise<never> {
    const { code, diagnostic } = readResult(message).result;
    if (code !== SYNC_REFRESH_REQUIRED) {
      throw new DirectoryRefused(code, diagnostic || `The directory ends the synchronisation (${code}).`);
    }
    await this.#follow.state.saveCookie(undefined, '');
    throw new BeginAgain('The directory does not know any more what changed since it was followed last.');
  }

  #beginAgain(why: string): void {
    this.#again.abort(new BeginAgain(why));
  }
}
