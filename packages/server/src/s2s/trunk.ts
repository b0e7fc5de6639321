import type { Written } from '../net/written.ts';
import type { KeyToVerify } from './dialback-key.ts';
import type { Outstanding } from './outstanding.ts';

/** What sends on a trunk, for one pair of domains. */
export interface Branch {
  /** Stanzas that it sent and the other side has not acknowledged. */
  readonly unacknowledged: number;
  /** The other side has so many more of its stanzas, the oldest ones. */
  handled(count: number): void;
  /** Called once. */
  onEnd(reason: string): void;
}

/** The XML stream that stanzas go out on, whoever began it, for one pair of domains or for several. */
export interface Trunk {
  /** Who began it, and whether stanzas come and go on it. */
  readonly kind: 'ours' | 'ours, both ways' | 'theirs, both ways';
  readonly address: string;
  readonly port: number;
  readonly tls: { readonly protocol: string } | undefined;
  /** Pairs of domains that stanzas go out for, ours before theirs. */
  readonly pairs: ReadonlySet<string>;
  readonly over: boolean;
  /** Bytes that wait to be read by the other side. */
  readonly buffered: number;
  /** What the other side has not acknowledged; undefined where it does not acknowledge (XEP-0198). */
  readonly outstanding: Outstanding | undefined;
  /** Stanzas that came on it, and when the last one did, by a clock that nobody sets. */
  readonly received: number;
  readonly heardAt: number;
  /** Answers what it goes out in, together with others, where that can be told. */
  write(text: string): Written | undefined;
  /** Sends what says nothing (RFC 6120 §4.6.1). */
  keepAlive(): void;
  /** Calls back once, when all that was written so far is with the operating system; never where it is over before. */
  whenSent(done: () => void): void;
  /** Calls back once when more may be written, or it is over. */
  onceDrained(done: () => void): void;
  /** Asks whether a key is the other side's own (XEP-0220 §2.1.2). Rejects with a ConnectionFailure. */
  verify(key: KeyToVerify): Promise<boolean>;
  /** From now on the branch hears of its end, and may be over at once. */
  join(branch: Branch): void;
  /** The branch sends no more; the stream closes in order with the last one. */
  leave(branch: Branch, reason: string): void;
  /** The branch sends no more; the connection breaks where it is the branch's alone. */
  abandon(branch: Branch, reason: string): void;
}
