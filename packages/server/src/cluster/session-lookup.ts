import type { Jid } from '@parley/xmpp/jid';
import type { ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Sessions } from '../session/sessions.ts';
import type { SessionTable } from './session-table.ts';

export interface SessionLookupHost {
  /** The id of this node. */
  readonly id: string;
  readonly store: ResumptionStore;
  readonly sessions: Sessions;
  readonly table: SessionTable;
  /** See `OtherNodes`. */
  told(account: Jid): Promise<void> | undefined;
}

const LATER_MS = 10_000;

/** Corrects from the keyspace what this node has heard of the sessions of others. */
export class SessionLookup {
  readonly #host: SessionLookupHost;

  constructor(host: SessionLookupHost) {
    this.#host = host;
  }

  async refresh(account: Jid): Promise<void> {
    const { store, sessions, id, table, told } = this.#host;
    await told(account);
    const before = sessions.of(account);
    const recorded = await store.list(account);
    let hearsay = false;
    for (const { record, owner } of recorded) {
      const { sid, resource } = record;
      if (owner === id || sessions.remote(sid)?.node === owner) continue;
      table.recorded(account.withResource(resource), record, owner);
      hearsay = true;
    }
    for (const known of before) {
      if (!recorded.some(({ record }) => record.sid === known.sessionId)) table.over(known.sessionId);
    }
    // it may have been over, and its end announced, before it was shown here
    if (hearsay) this.#later(account);
  }

  /** Looks now, and when what is under way must have been heard. */
  follow(account: Jid): void {
    void this.refresh(account).catch(() => {});
    this.#later(account);
  }

  #later(account: Jid): void {
    setTimeout(() => void this.refresh(account).catch(() => {}), LATER_MS).unref();
  }
}
