import { StreamError } from './stream-error.ts';

export interface XmlLimits {
  /** Bytes of one first-level element; white space between elements is not counted. */
  readonly maxBytes: number;
  /** Elements in one first-level element, itself included. */
  readonly maxElements: number;
  /** Levels of open elements below the stream's root. */
  readonly maxDepth: number;
  /** Attributes of one element, declarations included. */
  readonly maxAttributes: number;
  /** Characters of a name or a namespace. */
  readonly maxNameLength: number;
}

/** Which of the limits was exceeded: `policy-violation`. */
export class XmlLimitError extends StreamError {
  readonly limit: keyof XmlLimits;

  constructor(limit: keyof XmlLimits, text: string) {
    super('policy-violation', text);
    this.limit = limit;
  }
}
