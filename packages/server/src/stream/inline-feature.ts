import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import type { SaslTokens } from '@parley/xmpp/sasl/mechanism';
import type { Awaitable } from '../pipeline.ts';
import type { Stream } from './stream.ts';
import type { UserAgent } from './user-agent.ts';

/** A login, as those features see it that take part in it. The stream has authenticated; nothing is written to it yet. */
export interface InlineLogin {
  readonly stream: Stream;
  /** What the client has asked for: `<authenticate/>`. */
  readonly request: Element;
  readonly userAgent: UserAgent | undefined;
  /** Set by the feature that has given the stream a session. `resumed`: one that was there before. */
  session?: { readonly jid: Jid; readonly resumed: boolean };
}

/** What a stream feature does as part of a login, where the client asks for it (XEP-0388 §2.1). */
export interface InlineFeature {
  /** What stands in `<inline/>`, if anything. */
  advertise(stream: Stream): Element | undefined;
  /** The tokens that a client may show which sends this request, from this installation (XEP-0484). */
  tokens?(stream: Stream, request: Element, userAgent: UserAgent | undefined): SaslTokens | undefined;
  /** Whether a request shows, by what nobody else knows, that its client comes back to a session of this account. */
  returns?(account: Jid, request: Element): boolean;
  /** Why a request is not looked at, which is no failure of the login (XEP-0509); undefined where it is. */
  objection?(stream: Stream, request: Element): Element | undefined;
  /** Asked at every login, in the order of the features. Gives what `<success/>` has to tell; what it throws ends the stream. */
  handle(login: InlineLogin): Awaitable<readonly Element[]>;
}
