/** What clients of the model send. Each object is one stanza, however often it is sent. */
export type Stanza = Message | Request | Presence | Counted;

/** Class J: must arrive exactly once. */
export interface Message {
  readonly kind: 'message';
  readonly from: string;
  /** The stream that it came from, and its number there. */
  readonly stream: string;
  readonly k: number;
  readonly to: string;
  /** The resource, where it is for a full JID. */
  readonly resource: string | undefined;
}

export type Change =
  | { readonly what: 'block' | 'unblock'; readonly whom: string }
  | { readonly what: 'carbons' }
  | { readonly what: 'roster' };

/** An iq that changes something of the client's own account. */
export interface Request {
  readonly kind: 'request';
  readonly k: number;
  readonly change: Change;
}

export interface Presence {
  readonly kind: 'presence';
  readonly k: number;
  readonly available: boolean;
}

/** Class N: counted, not kept. */
export interface Counted {
  readonly kind: 'counted';
  readonly k: number;
}

/** What a node writes to a client. Everything but acknowledgements is counted by XEP-0198. */
export type Downward =
  | { readonly kind: 'acknowledged'; readonly h: number }
  | { readonly kind: 'counted' }
  | (Content & { readonly moved: boolean; readonly displaced: boolean });

/** What an entry of a journal holds for the client. */
export type Content =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'carbon'; readonly message: Message }
  | { readonly kind: 'push'; readonly request: Request }
  | { readonly kind: 'answer'; readonly to: Message | Request };

/** What a client writes to a node. */
export type Upward =
  | Stanza
  | { readonly kind: 'ack'; readonly h: number }
  | { readonly kind: 'ask' }
  | { readonly kind: 'close' };
