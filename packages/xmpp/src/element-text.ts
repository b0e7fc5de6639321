import { Element } from './element.ts';
import { XmlDocument, XmlDocumentError } from './xml-document.ts';

export { XmlDocumentError };

const LIMITS = { maxElements: 1_000_000, maxDepth: 256, maxAttributes: 10_000, maxNameLength: 65_536 };

/** The element that a text is, as `Element.toString()` has written it without a context. Throws an XmlDocumentError where it is none. */
export function elementFromText(text: string): Element {
  let found: Element | undefined;
  const bytes = Buffer.from(text);
  const document = new XmlDocument(
    {
      onOpen: () => 'whole',
      onElement: (element) => {
        found = element;
      },
      onTooLarge(_element, line) {
        throw new XmlDocumentError(line, 'This is too large.');
      },
      onClose() {},
    },
    { ...LIMITS, maxBytes: Math.max(bytes.length * 64, 65_536) },
  );
  document.write(bytes);
  document.end();
  return found ?? Element.of('', '');
}
