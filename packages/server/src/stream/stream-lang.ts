import type { Element } from '@parley/xmpp/element';

/** The language of the streams from us to clients: what is sent to them without another is in it. */
export const OUR_LANG = 'en';

/** RFC 5646 §4.4.1: the longest that everybody must take. */
const LONGEST = 35;

/** The language of a stream from a client (RFC 6120 §4.7.4), by its header. */
export function langOf(header: Element): string {
  const lang = header.attr('xml:lang') ?? '';
  return lang === '' || lang.length > LONGEST ? OUR_LANG : lang;
}
