import { Element } from './element.ts';
import { NS } from './namespaces.ts';

/**
 * RFC 6120 §8.3.3: the defined conditions of a stanza error, each with the error type that goes with it by default
 * and the numeric code that older clients read (XEP-0086 §3).
 */
const CONDITIONS = {
  'bad-request': ['modify', '400'],
  conflict: ['cancel', '409'],
  'feature-not-implemented': ['cancel', '501'],
  forbidden: ['auth', '403'],
  gone: ['cancel', '302'],
  'internal-server-error': ['cancel', '500'],
  'item-not-found': ['cancel', '404'],
  'jid-malformed': ['modify', '400'],
  'not-acceptable': ['modify', '406'],
  'not-allowed': ['cancel', '405'],
  'not-authorized': ['auth', '401'],
  'policy-violation': ['modify', '406'],
  'recipient-unavailable': ['wait', '404'],
  redirect: ['modify', '302'],
  'registration-required': ['auth', '407'],
  'remote-server-not-found': ['cancel', '404'],
  'remote-server-timeout': ['wait', '504'],
  'resource-constraint': ['wait', '500'],
  'service-unavailable': ['cancel', '503'],
  'subscription-required': ['auth', '407'],
  'undefined-condition': ['cancel', '500'],
  'unexpected-request': ['wait', '400'],
} as const satisfies Record<string, readonly [StanzaErrorType, string]>;

export type StanzaErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait';
export type StanzaCondition = keyof typeof CONDITIONS;

export interface StanzaErrorOptions {
  type?: StanzaErrorType;
  /** Words for a person, in English. */
  text?: string;
  /** An application-specific condition beside the defined one (RFC 6120 §8.3.4). */
  application?: Element;
  /** What stands beside the error in the stanza, such as a form that has to be filled in first. */
  beside?: Element;
  /** Content of the condition's element: the new address of `gone` and `redirect`. */
  address?: string;
  cause?: unknown;
}

/** An error that answers one stanza (RFC 6120 §8.3): thrown anywhere on a stanza's way, answered in one place. */
export class StanzaError extends Error {
  readonly condition: StanzaCondition;
  readonly type: StanzaErrorType;
  readonly text: string | undefined;
  readonly application: Element | undefined;
  readonly beside: Element | undefined;
  readonly address: string | undefined;

  constructor(condition: StanzaCondition, options: StanzaErrorOptions = {}) {
    super(options.text ?? condition, { cause: options.cause });
    this.name = 'StanzaError';
    this.condition = condition;
    this.type = options.type ?? CONDITIONS[condition][0];
    this.text = options.text;
    this.application = options.application;
    this.beside = options.beside;
    this.address = options.address;
  }

  static readonly conditions = Object.keys(CONDITIONS) as readonly StanzaCondition[];

  /** The `<error/>` child that a stanza of type "error" carries. */
  toElement(): Element {
    const condition = Element.of(this.condition, NS.stanzas, {}, ...(this.address === undefined ? [] : [this.address]));
    const children = [condition];
    if (this.text !== undefined) children.push(Element.of('text', NS.stanzas, { 'xml:lang': 'en' }, this.text));
    if (this.application) children.push(this.application);
    // XEP-0086 §3: `code` for clients that know no conditions
    return Element.of('error', NS.client, { code: CONDITIONS[this.condition][1], type: this.type }, ...children);
  }
}
