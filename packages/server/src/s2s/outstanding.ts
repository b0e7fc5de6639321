import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { StreamManagement } from './negotiation.ts';
import type { Branch } from './trunk.ts';

export interface OutstandingHost {
  isOver(): boolean;
  /** Time for an acknowledgement. */
  acknowledgeMs(): number;
  write(text: string): void;
  /** Gives the stream up. */
  close(reason: string): void;
}

/** An acknowledgement is asked for after so many stanzas, and when nothing more follows. */
const ASK_AFTER = 50;
/** Who has acknowledged nothing new is asked again after this time. */
const ASK_AGAIN_MS = 2000;

/** Stanzas that went out on one stream and that the other side has not acknowledged (XEP-0198), by who sent them. */
export class Outstanding {
  readonly management: StreamManagement;
  readonly #host: OutstandingHost;
  /** Oldest first. */
  #senders: Branch[] = [];
  #acknowledged: number;
  #asked = false;
  /** Until when something has to be acknowledged. */
  #patience: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #asking: NodeJS.Immediate | undefined;

  constructor(host: OutstandingHost, management: StreamManagement) {
    this.#host = host;
    this.management = management;
    this.#acknowledged = management.resumedAt ?? 0;
  }

  /** The other side is to acknowledge one more. */
  add(sender: Branch): void {
    this.#senders.push(sender);
    if (this.#asked) return;
    if (this.#senders.length % ASK_AFTER === 0) this.#ask();
    else this.#asking ??= setImmediate(() => this.#ask());
  }

  #ask(): void {
    clearImmediate(this.#asking);
    clearTimeout(this.#again);
    this.#asking = undefined;
    this.#again = undefined;
    if (this.#asked || this.#host.isOver() || this.#senders.length === 0) return;
    this.#asked = true;
    this.#host.write(`<r xmlns='${NS.streamManagement}'/>`);
    this.#patience ??= setTimeout(() => {
      this.#host.close('it did not acknowledge what it was sent');
    }, this.#host.acknowledgeMs());
  }

  /** `<a/>` */
  onAcknowledgement(element: Element): void {
    const h = Number(element.attr('h'));
    if (!Number.isInteger(h)) return;
    const count = (h - this.#acknowledged) >>> 0; // modulo 2^32
    if (count > this.#senders.length) {
      this.#host.close('it acknowledges more than it was sent');
      return;
    }
    this.#acknowledged = h;
    tell(this.#senders.splice(0, count));
    this.#asked = false;
    if (count > 0 || this.#senders.length === 0) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    if (count > 0) this.#ask();
    else if (this.#senders.length > 0) this.#again ??= setTimeout(() => this.#ask(), ASK_AGAIN_MS);
  }

  /** The stream is over. */
  stop(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#again);
    clearImmediate(this.#asking);
    this.#senders = [];
  }
}

/** One call for those that come from the same sender, one after the other. */
function tell(handled: readonly Branch[]): void {
  let count = 0;
  for (const [index, sender] of handled.entries()) {
    count++;
    if (handled[index + 1] === sender) continue;
    sender.handled(count);
    count = 0;
  }
}
