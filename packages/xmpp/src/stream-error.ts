import { Element } from './element.ts';
import { NS } from './namespaces.ts';

/** RFC 6120 §4.9.3: the defined conditions of a stream error. */
const CONDITIONS = [
  'bad-format',
  'bad-namespace-prefix',
  'conflict',
  'connection-timeout',
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'internal-server-error',
  'invalid-from',
  'invalid-namespace',
  'invalid-xml',
  'not-authorized',
  'not-well-formed',
  'policy-violation',
  'remote-connection-failed',
  'reset',
  'resource-constraint',
  'restricted-xml',
  'see-other-host',
  'system-shutdown',
  'undefined-condition',
  'unsupported-encoding',
  'unsupported-feature',
  'unsupported-stanza-type',
  'unsupported-version',
] as const;

export type StreamCondition = (typeof CONDITIONS)[number];

/** An error that ends the stream (RFC 6120 §4.9): thrown anywhere while a stream is read, written in one place. */
export class StreamError extends Error {
  readonly condition: StreamCondition;
  readonly text: string | undefined;
  /** An application-specific condition beside the defined one (RFC 6120 §4.9.4). */
  readonly application: Element | undefined;

  constructor(condition: StreamCondition, text?: string, application?: Element) {
    super(text ?? condition);
    this.name = 'StreamError';
    this.condition = condition;
    this.text = text;
    this.application = application;
  }

  static readonly conditions: readonly StreamCondition[] = CONDITIONS;

  toElement(): Element {
    const children = [Element.of(this.condition, NS.streamErrors)];
    if (this.text !== undefined) {
      children.push(Element.of('text', NS.streamErrors, { 'xml:lang': 'en' }, this.text));
    }
    if (this.application) children.push(this.application);
    return Element.of('error', NS.streams, {}, ...children);
  }

  /** As it stands in a stream, whatever its content is: `stream` is the prefix of the streams' namespace there. */
  toText(): string {
    const inside = this.toElement().elements.map((each) => each.toString());
    return `<stream:error>${inside.join('')}</stream:error>`;
  }
}
