import { type Element, serializeAttributes } from '@parley/xmpp/element';
import { escapeText } from '@parley/xmpp/escape';
import { NS } from '@parley/xmpp/namespaces';
import { BackTraffic, type BackTrafficHost } from './back-traffic.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { KeyToVerify } from './dialback-key.ts';
import type { Negotiated } from './negotiation.ts';
import { Outstanding } from './outstanding.ts';
import type { PeerStream, PeerStreamConsumer } from './peer-stream.ts';
import type { Branch, Trunk } from './trunk.ts';

export interface OutgoingSettings {
  /** Time for an acknowledgement, and for a key to be verified. */
  readonly acknowledgeMs: number;
  readonly verifyMs: number;
}

export interface OutgoingTrunkOptions {
  readonly local: string;
  readonly remote: string;
  readonly stream: PeerStream;
  readonly negotiated: Negotiated;
  readonly settings: () => OutgoingSettings;
  /** What comes back is taken here, where something may (XEP-0288). */
  readonly taking: BackTrafficHost | undefined;
}

/** Elements that mean nothing here. */
const MOST_UNKNOWN = 100;

/** A stream that we began, from one of our domains to another one. */
export class OutgoingTrunk implements Trunk, PeerStreamConsumer {
  readonly kind: Trunk['kind'];
  readonly tls: Negotiated['tls'];
  readonly outstanding: Outstanding | undefined;
  readonly #stream: PeerStream;
  readonly #settings: () => OutgoingSettings;
  readonly #back: BackTraffic | undefined;
  readonly #branches = new Set<Branch>();
  readonly #keys = new Map<string, (answer: boolean | ConnectionFailure) => void>();
  #unknown = 0;

  constructor({ local, remote, stream, negotiated, settings, taking }: OutgoingTrunkOptions) {
    const { tls, acknowledges, bidirectional } = negotiated;
    this.tls = tls;
    this.#stream = stream;
    this.#settings = settings;
    if (acknowledges) {
      this.outstanding = new Outstanding({
        isOver: () => stream.over,
        acknowledgeMs: () => settings().acknowledgeMs,
        write: (text) => stream.write(text),
        close: (reason) => stream.close(reason),
      });
    }
    if (bidirectional && taking !== undefined) {
      const remotes = new Set([remote]);
      const has = (ours: string, theirs: string) => ours === local && theirs === remote;
      this.#back = new BackTraffic(stream, tls?.protocol, { local, remotes, has }, taking);
    }
    this.kind = this.#back === undefined ? 'ours' : 'ours, both ways';
  }

  get address(): string {
    return this.#stream.connection.address;
  }

  get port(): number {
    return this.#stream.connection.port;
  }

  get over(): boolean {
    return this.#stream.over;
  }

  get buffered(): number {
    return this.#stream.connection.buffered;
  }

  get received(): number {
    return this.#back?.received ?? 0;
  }

  get heardAt(): number {
    return this.#back?.heardAt ?? 0;
  }

  write(text: string): void {
    this.#stream.write(text);
  }

  onceDrained(done: () => void): void {
    this.#stream.connection.onceDrained(done);
  }

  async verify({ receiving, originating, streamId, key }: KeyToVerify): Promise<boolean> {
    const name = `${receiving} ${originating} ${streamId}`;
    if (this.#stream.over || this.#keys.has(name))
      throw new ConnectionFailure('proof', 'The stream is over.', { timeout: true });
    const { promise, resolve } = Promise.withResolvers<boolean | ConnectionFailure>();
    this.#keys.set(name, resolve);
    const attributes = serializeAttributes(['from', receiving, 'to', originating, 'id', streamId]);
    this.#stream.write(`<db:verify${attributes}>${escapeText(key)}</db:verify>`);
    const timer = setTimeout(() => {
      resolve(new ConnectionFailure('proof', 'It did not say in time whether a key is its own.', { timeout: true }));
    }, this.#settings().verifyMs);
    const answer = await promise;
    clearTimeout(timer);
    this.#keys.delete(name);
    if (answer instanceof ConnectionFailure) throw answer;
    return answer;
  }

  join(branch: Branch): void {
    this.#branches.add(branch);
    if (this.#branches.size === 1) this.#stream.consume(this);
  }

  leave(branch: Branch, reason: string): void {
    if (this.#branches.has(branch)) this.#stream.close(reason);
  }

  // --- what comes -------------------------------------------------------------------------------------------------

  onElement(element: Element): void {
    if (element.ns === NS.streamManagement && this.outstanding !== undefined) {
      if (element.name === 'a') this.outstanding.onAcknowledgement(element);
      else if (element.name === 'r') this.#onRequest();
      else if (element.name === 'enabled') this.#back?.acknowledge();
    } else if (element.is('verify', NS.dialback) && element.attr('type') !== undefined) this.#onVerified(element);
    else if (this.#back?.onElement(element)) return;
    else if (++this.#unknown > MOST_UNKNOWN) this.#stream.close('it sends what nobody has asked for');
  }

  #onRequest(): void {
    if (this.#back === undefined)
      this.#stream.write(`<a xmlns='${NS.streamManagement}' h='0'/>`); // nothing may come
    else this.#back.onRequest();
  }

  #onVerified(element: Element): void {
    const [from, to, id, type] = ['from', 'to', 'id', 'type'].map((name) => element.attr(name));
    const done = this.#keys.get(`${to} ${from} ${id}`);
    if (done === undefined)
      this.#unknown++; // XEP-0220 §3.1: only what was asked here
    else if (type === 'valid' || type === 'invalid') done(type === 'valid');
    else done(new ConnectionFailure('proof', 'It does not say whether a key is its own.', { timeout: true }));
  }

  onEnd(reason: string): void {
    this.outstanding?.stop();
    for (const done of this.#keys.values()) done(new ConnectionFailure('proof', `${reason}.`, { timeout: true }));
    const branches = [...this.#branches];
    this.#branches.clear();
    for (const branch of branches) branch.onEnd(reason);
  }
}
