import { formatDateTime, parseDateTime } from './date-time.ts';
import { Element } from './element.ts';
import { Jid } from './jid.ts';
import { NS } from './namespaces.ts';
import type { Stanza } from './stanza.ts';

export interface Delay {
  /** Who delayed it, where that is said and is an address. */
  readonly from: Jid | undefined;
  /** When it was sent: milliseconds since 1970. */
  readonly time: number;
}

/** `<delay/>` (XEP-0203 §2). `from` is who held the stanza back, `time` when it was sent (milliseconds since 1970). */
export function delayElement(from: Jid, time: number, reason?: string): Element {
  const attributes = { from: from.toString(), stamp: formatDateTime(time) };
  return Element.of('delay', NS.delay, attributes, ...(reason === undefined ? [] : [reason]));
}

/** The first delay that a stanza is marked with and whose time can be read. */
export function readDelay(stanza: Stanza): Delay | undefined {
  for (const child of stanza.children) {
    if (typeof child === 'string' || !child.is('delay', NS.delay)) continue;
    const time = parseDateTime(child.attr('stamp') ?? '');
    if (time !== undefined) return { from: Jid.tryParse(child.attr('from') ?? ''), time };
  }
  return undefined;
}

/**
 * The stanza without the delays that claim to be noted by whoever `isOurs` tells (XEP-0203 §5): nobody else may speak
 * for us. The same stanza where there are none.
 */
export function withoutDelaysOf<S extends Stanza>(stanza: S, isOurs: (from: Jid) => boolean): S {
  if (stanza.childOf(NS.delay) === undefined) return stanza;
  const children = stanza.children.filter((child) => {
    if (typeof child === 'string' || !child.is('delay', NS.delay)) return true;
    const from = Jid.tryParse(child.attr('from') ?? '');
    return from === undefined || !isOurs(from);
  });
  return children.length === stanza.children.length ? stanza : stanza.with({ children });
}
