import type { Element } from './element.ts';

/** What a reader tells whoever uses it. */
export interface XmlHandler {
  /** The root's start tag; `Element.children` is empty. `contentNs` is the default namespace that it declares. */
  onStreamOpen(root: Element, contentNs: string): void;
  /** A complete first-level element. */
  onElement(element: Element): void;
  /** The root's end tag. */
  onStreamClose(): void;
}
