import { Element } from './element.ts';
import { NS } from './namespaces.ts';

/** RFC 6120 §6.5 */
const CONDITIONS = [
  'aborted',
  'account-disabled',
  'credentials-expired',
  'encryption-required',
  'incorrect-encoding',
  'invalid-authzid',
  'invalid-mechanism',
  'malformed-request',
  'mechanism-too-weak',
  'not-authorized',
  'temporary-auth-failure',
] as const;

export type SaslCondition = (typeof CONDITIONS)[number];

/** Why an attempt to log in failed (RFC 6120 §6.5). Its text is sent to the client: it repeats nothing secret. */
export class SaslError extends Error {
  readonly condition: SaslCondition;
  readonly text: string | undefined;

  constructor(condition: SaslCondition, text?: string, options?: ErrorOptions) {
    super(text ?? condition, options);
    this.name = 'SaslError';
    this.condition = condition;
    this.text = text;
  }

  static readonly conditions: readonly SaslCondition[] = CONDITIONS;

  /** `ns`: that of the profile, of RFC 6120 or of XEP-0388 §2.6.2; the conditions are the same. */
  toElement(ns: typeof NS.sasl | typeof NS.sasl2 = NS.sasl): Element {
    const children = [Element.of(this.condition, NS.sasl)];
    if (this.text !== undefined) children.push(Element.of('text', ns, { 'xml:lang': 'en' }, this.text));
    return Element.of('failure', ns, {}, ...children);
  }
}
