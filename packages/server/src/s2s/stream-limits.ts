import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';

/** What the other side takes on a stream, where it says so (XEP-0478). */
export interface StreamLimits {
  /** Bytes of the largest stanza. */
  readonly maxBytes: number;
  /** It takes the stream for dead when nothing came for so long. */
  readonly idleMs: number;
}

export const UNLIMITED: StreamLimits = { maxBytes: Number.POSITIVE_INFINITY, idleMs: Number.POSITIVE_INFINITY };

/** Longer ones are no use to anybody, and nothing that a timer could wait for. */
const LONGEST_IDLE_SECONDS = 86_400;

/** `parent`: its features, or what it asks for both directions with. */
export function readLimits(parent: Element | undefined): StreamLimits {
  const limits = parent?.child('limits', NS.streamLimits);
  const number = (name: string): number => {
    const said = limits?.childText(name, NS.streamLimits)?.trim() ?? '';
    return /^0*[1-9]\d{0,14}$/.test(said) ? Number(said) : Number.POSITIVE_INFINITY;
  };
  const idle = number('idle-seconds');
  return {
    maxBytes: number('max-bytes'),
    idleMs: idle <= LONGEST_IDLE_SECONDS ? idle * 1000 : Number.POSITIVE_INFINITY,
  };
}

export function limitsElement(maxBytes: number, idleSeconds?: number): Element {
  const say = (name: string, value: number) => Element.of(name, NS.streamLimits, {}, String(value));
  const idle = idleSeconds === undefined ? [] : [say('idle-seconds', idleSeconds)];
  return Element.of('limits', NS.streamLimits, {}, say('max-bytes', maxBytes), ...idle);
}
