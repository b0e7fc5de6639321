import { type Element, serializeAttributes } from '@parley/xmpp/element';
import { escapeText } from '@parley/xmpp/escape';
import { NS } from '@parley/xmpp/namespaces';
import type { Written } from '../net/written.ts';
import { BackTraffic, type BackTrafficHost } from './back-traffic.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { KeyToVerify } from './dialback-key.ts';
import type { Negotiated } from './negotiation.ts';
import { Outstanding } from './outstanding.ts';
import type { PeerStream, PeerStreamConsumer } from './peer-stream.ts';
import type { Branch, Trunk } from './trunk.ts';
import { isUnheard } from './unread.ts';

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
  /** It takes our word for further pairs of domains, or not, without ending the stream. */
  readonly refusesGently: boolean;
  /** Resolves when it is over. */
  readonly closed: Promise<void>;
  readonly pairs = new Set<string>();
  readonly #remotes = new Set<string>();
  readonly #stream: PeerStream;
  readonly #settings: () => OutgoingSettings;
  readonly #back: BackTraffic | undefined;
  readonly #branches = new Set<Branch>();
  /** What was asked: about keys of others, and whether it takes our word for a pair. */
  readonly #keys = new Map<string, (answer: boolean | ConnectionFailure) => void>();
  readonly #asked = new Map<string, (answer: boolean | ConnectionFailure) => void>();
  readonly #draining: (() => void)[] = [];
  readonly #resolve: () => void;
  #consumes = false;
  #unknown = 0;

  constructor({ local, remote, stream, negotiated, settings, taking }: OutgoingTrunkOptions) {
    const { tls, management, bidirectional } = negotiated;
    this.tls = tls;
    this.refusesGently = negotiated.refusesGently;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolve = resolve;
    this.#add(local, remote);
    this.#stream = stream;
    this.#settings = settings;
    if (management !== undefined) {
      const host = {
        isOver: () => stream.over,
        acknowledgeMs: () => settings().acknowledgeMs,
        write: (text: string) => void stream.write(text),
        close: (reason: string) => stream.close(reason),
      };
      this.outstanding = new Outstanding(host, management);
    }
    if (bidirectional && taking !== undefined) {
      const rules = { local, pairs: this.pairs, remotes: this.#remotes };
      this.#back = new BackTraffic(stream, tls?.protocol, rules, taking);
    }
    this.kind = this.#back === undefined ? 'ours' : 'ours, both ways';
  }

  /** The other side's id of it. */
  get id(): string {
    return this.#stream.id;
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

  write(text: string): Written | undefined {
    return this.#stream.write(text);
  }

  keepAlive(): void {
    this.#stream.write(' ');
  }

  whenSent(done: () => void): void {
    this.#stream.connection.whenSent(done);
  }

  onceDrained(done: () => void): void {
    this.#draining.push(done);
    if (this.#draining.length > 1) return;
    this.#stream.connection.onceDrained(() => {
      for (const each of this.#draining.splice(0)) each();
    });
  }

  async verify({ receiving, originating, streamId, key }: KeyToVerify): Promise<boolean> {
    const attributes = serializeAttributes(['from', receiving, 'to', originating, 'id', streamId]);
    const text = `<db:verify${attributes}>${escapeText(key)}</db:verify>`;
    return await this.#ask(this.#keys, `${receiving} ${originating} ${streamId}`, text, 'whether a key is its own');
  }

  /** Has the other side take our word for one more pair of domains (XEP-0220 §2.5). Rejects with a ConnectionFailure. */
  async extend(local: string, remote: string, key: string): Promise<void> {
    const pair = `${local} ${remote}`;
    if (this.pairs.has(pair)) return;
    const text = `<db:result${serializeAttributes(['from', local, 'to', remote])}>${escapeText(key)}</db:result>`;
    const taken = await this.#ask(this.#asked, pair, text, `whether it takes us for ${local}`);
    if (!taken) throw new ConnectionFailure('proof', `It does not believe that we are ${local}.`);
  }

  async #ask(
    asked: Map<string, (answer: boolean | ConnectionFailure) => void>,
    name: string,
    text: string,
    words: string,
  ): Promise<boolean> {
    if (this.#stream.over || asked.has(name))
      throw new ConnectionFailure('proof', 'The stream is over.', { timeout: true });
    const { promise, resolve } = Promise.withResolvers<boolean | ConnectionFailure>();
    asked.set(name, resolve);
    this.#stream.write(text);
    const timer = setTimeout(() => {
      resolve(new ConnectionFailure('proof', `It did not say in time ${words}.`, { timeout: true }));
    }, this.#settings().verifyMs);
    const answer = await promise;
    clearTimeout(timer);
    asked.delete(name);
    if (answer instanceof ConnectionFailure) throw answer;
    return answer;
  }

  #add(local: string, remote: string): void {
    this.pairs.add(`${local} ${remote}`);
    this.#remotes.add(remote);
  }

  join(branch: Branch): void {
    this.#branches.add(branch);
    if (!this.#consumes) {
      this.#consumes = true;
      this.#stream.consume(this);
    } else if (this.over) this.#end('it is over');
  }

  leave(branch: Branch, reason: string): void {
    if (!this.#branches.has(branch)) return;
    if (this.#branches.size === 1 || branch.unacknowledged > 0) this.#stream.close(reason);
    else {
      this.#branches.delete(branch);
      branch.onEnd(reason);
    }
  }

  abandon(branch: Branch, reason: string): void {
    if (this.#branches.size === 1 && this.#branches.has(branch)) this.#stream.cut(reason);
    else this.leave(branch, reason);
  }

  // --- what comes -------------------------------------------------------------------------------------------------

  onElement(element: Element): void {
    if (element.ns === NS.streamManagement && this.outstanding !== undefined) {
      if (element.name === 'a') this.outstanding.onAcknowledgement(element);
      else if (element.name === 'r') this.#onRequest();
      else if (element.name === 'enabled') this.#back?.acknowledge();
    } else if (element.ns === NS.dialback && element.attr('type') !== undefined) this.#onAnswer(element);
    else if (this.#back?.onElement(element)) return;
    else if (++this.#unknown > MOST_UNKNOWN) this.#stream.close('it sends what nobody has asked for');
  }

  #onRequest(): void {
    if (isUnheard(this.buffered)) return;
    if (this.#back === undefined)
      this.#stream.write(`<a xmlns='${NS.streamManagement}' h='0'/>`); // nothing may come
    else this.#back.onRequest();
  }

  #onAnswer(element: Element): void {
    const [from, to, id, type] = ['from', 'to', 'id', 'type'].map((name) => element.attr(name));
    const aboutUs = element.name === 'result';
    const done = aboutUs ? this.#asked.get(`${to} ${from}`) : this.#keys.get(`${to} ${from} ${id}`);
    // at once: stanzas may follow, where they come back
    if (aboutUs && done !== undefined && type === 'valid') this.#add(to as string, from as string);
    if (done === undefined)
      this.#unknown++; // XEP-0220 §3.1: only what was asked here
    else if (type === 'valid' || type === 'invalid') done(type === 'valid');
    else done(new ConnectionFailure('proof', 'It could not say whether a key is good.', { timeout: true }));
  }

  onEnd(reason: string): void {
    this.outstanding?.stop();
    const failure = new ConnectionFailure('proof', `${reason}.`, { timeout: true });
    for (const done of [...this.#keys.values(), ...this.#asked.values()]) done(failure);
    this.#end(reason);
    this.#resolve();
  }

  #end(reason: string): void {
    const branches = [...this.#branches];
    this.#branches.clear();
    for (const branch of branches) branch.onEnd(reason);
  }
}
