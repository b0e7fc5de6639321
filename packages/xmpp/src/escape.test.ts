import { expect, it } from 'vitest';
import { escapeAttribute, escapeText } from './escape.ts';

it.each([
  ['nothing', 'plain é 😀', 'plain é 😀', 'plain é 😀'],
  ['markup', '<a href="x">&</a>', '&lt;a href="x"&gt;&amp;&lt;/a&gt;', '&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;'],
  ['quotes', `'"`, `'"`, '&apos;&quot;'],
  ['what looks escaped', '&amp;&#10;', '&amp;amp;&amp;#10;', '&amp;amp;&amp;#10;'],
  ['the end of a CDATA section', ']]>', ']]&gt;', ']]&gt;'],
  ['white space', ' \t\n\r', ' \t\n&#13;', ' &#9;&#10;&#13;'],
  ['one after another', '<<&&', '&lt;&lt;&amp;&amp;', '&lt;&lt;&amp;&amp;'],
])('escapes %s', (_, text, asText, asAttribute) => {
  expect(escapeText(text)).toBe(asText);
  expect(escapeAttribute(text)).toBe(asAttribute);
});
