import { expect, it } from 'vitest';
import { Element } from './element.ts';
import { hasHint } from './hints.ts';
import { NS } from './namespaces.ts';
import { message } from './stanza.ts';

const noStore = Element.of('no-store', NS.hints);

it('reads the hints of a message', () => {
  expect(hasHint(message({}, noStore), 'no-store')).toBe(true);
  expect(hasHint(message({}, noStore), 'store')).toBe(false);
  expect(hasHint(message({}, Element.of('no-store', NS.client)), 'no-store')).toBe(false);
});

it('takes no hint from an error', () => {
  expect(hasHint(message({ type: 'error' }, noStore), 'no-store')).toBe(false);
});
