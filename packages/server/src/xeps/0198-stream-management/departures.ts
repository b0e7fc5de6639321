import type { Jid } from '@parley/xmpp/jid';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { ModuleContext } from '../../module.ts';
import type { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { Session } from '../../session/session.ts';
import type { Sent } from '../../session/unacknowledged.ts';
import { forward } from './forwarding.ts';

/** What sessions that are over leave behind: each stanza that was not acknowledged goes somewhere else, once. */
export class Departures {
  readonly #context: ModuleContext;
  readonly #store: ResumptionStore;

  constructor(context: ModuleContext, store: ResumptionStore) {
    this.#context = context;
    this.#store = store;
  }

  async of(session: Session): Promise<void> {
    const { management, jid, sessionId } = session;
    if (management === undefined) return;
    const left = management.takeUnacknowledged();
    if (!management.resumable) {
      for (const sent of left) await this.#forward(sent);
      return;
    }
    await management.settled();
    await management.save(); // what was acknowledged must not go on
    // what the journal has is moved before anything of it goes on, so that a crash in between loses nothing of it
    const owned = await this.#store.end(jid.bare, jid.resource, sessionId, management.epoch);
    if (owned === undefined) return; // it is somebody else's
    for (const sent of left) if (!sent.journaled) await this.#forward(sent);
    await this.#forwardAll(
      jid,
      sessionId,
      left.filter((sent) => sent.journaled),
    );
  }

  /** What a predecessor of this process left undone. */
  async finish(): Promise<void> {
    for await (const { jid, sid, entries } of this.#store.unfinished()) await this.#forwardAll(jid, sid, entries);
  }

  async #forwardAll(jid: Jid, sid: string, all: readonly { text: string; at: number }[]): Promise<void> {
    let left = all.length;
    for (const each of all) {
      await this.#forward(each);
      await this.#store.keepWaiting(jid, sid, --left);
    }
    if (all.length === 0) await this.#store.keepWaiting(jid, sid, 0);
  }

  async #forward({ text, at }: Pick<Sent, 'text' | 'at'>): Promise<void> {
    try {
      await forward(this.#context.router, stanzaFromText(Buffer.from(text)), at);
    } catch (error) {
      this.#context.log.error('resumption.unreadable', { error: error as Error });
    }
  }
}
