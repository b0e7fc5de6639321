const TEXT = /[&<>\r]/;
const ATTRIBUTE = /[&<>"'\t\n\r]/;

/** Character data, escaped: also ">" (for "]]>") and U+000D, which a parser would turn into U+000A (XML 1.0 §2.11). */
export function escapeText(text: string): string {
  return TEXT.test(text) ? text.replace(/[&<>\r]/g, entity) : text;
}

/** An attribute's value, escaped for either kind of quote, white space kept from normalisation (XML 1.0 §3.3.3). */
export function escapeAttribute(text: string): string {
  return ATTRIBUTE.test(text) ? text.replace(/[&<>"'\t\n\r]/g, entity) : text;
}

function entity(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '"':
      return '&quot;';
    case "'":
      return '&apos;';
    default:
      return `&#${character.charCodeAt(0)};`;
  }
}
