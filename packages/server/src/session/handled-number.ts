import type { Element } from '@parley/xmpp/element';

/** The `h` of an element (XEP-0198 §4), a whole number of 32 bits; undefined where it is none. */
export function readHandled(element: Element): number | undefined {
  const text = element.attr('h') ?? '';
  const h = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return h <= 0xffffffff ? h : undefined;
}
