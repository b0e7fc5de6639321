import { expect, it } from 'vitest';
import { Element } from './element.ts';
import { hasHint } from './hints.ts';
import { Jid } from './jid.ts';
import { NS } from './namespaces.ts';
import { message } from './stanza.ts';

const to = Jid.parse('juliet@capulet.lit');
const hint = Element.of('no-store', NS.hints);

it('finds a hint by its name and namespace', () => {
  expect(hasHint(message({ to }, hint), 'no-store')).toBe(true);
  expect(hasHint(message({ to }, hint), 'store')).toBe(false);
  expect(hasHint(message({ to }, Element.of('no-store', 'urn:x')), 'no-store')).toBe(false);
  expect(hasHint(message({ to }, Element.of('x', 'urn:x', {}, hint)), 'no-store')).toBe(false);
});

it('knows no hints in errors', () => {
  expect(hasHint(message({ to, type: 'error' }, hint), 'no-store')).toBe(false);
});
