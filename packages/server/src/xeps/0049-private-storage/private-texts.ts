import type { Element } from '@parley/xmpp/element';

/** The XML text of each namespace. An element without content is what an answer shows where nothing is kept. */
export function privateTexts(elements: readonly Element[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const element of elements) {
    const empty = element.children.length === 0 && element.attributes.length === 0;
    texts.set(element.ns, (texts.get(element.ns) ?? '') + (empty ? '' : element.toString()));
  }
  return texts;
}
