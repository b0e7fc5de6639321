/** An available presence, and a question for one, that waited for longer than this may not be true any more. */
const PRESENCE_MS = 30_000;

const HEAD = /^<presence( to='[^']*' from='[^']*')(?: id='[^']*')?(?: type='([^']*)')?[ />]/;

/** Presence that tells a state of somebody, or asks for one: not what changes a subscription. */
interface Momentary {
  readonly addresses: string;
  readonly type: 'available' | 'unavailable' | 'probe';
}

/** Undefined where a stanza, as text, is another one. */
function momentary(text: string): Momentary | undefined {
  const [, addresses, type = 'available'] = HEAD.exec(text) ?? [];
  if (addresses === undefined || (type !== 'available' && type !== 'unavailable' && type !== 'probe')) return undefined;
  return { addresses, type };
}

interface Waiting {
  readonly text: string;
  readonly at: number;
}

/**
 * Whether a stanza that waits tells what is not so any more: somebody may have gone since who was there, and come since who
 * asked. That somebody has gone stays true until the next presence says something else.
 */
export function isOutdated({ text, at }: Waiting, now: number): boolean {
  if (now - at <= PRESENCE_MS) return false;
  const found = momentary(text);
  return found !== undefined && found.type !== 'unavailable';
}

/** Tells of stanzas that wait whether one that comes now makes them superfluous; undefined where it never does. */
export function supersedes(text: string): ((waiting: Waiting) => boolean) | undefined {
  const found = momentary(text);
  if (found === undefined) return undefined;
  const asks = found.type === 'probe';
  return (waiting) => {
    if (!waiting.text.startsWith(`<presence${found.addresses}`)) return false;
    const before = momentary(waiting.text);
    return before !== undefined && (before.type === 'probe') === asks;
  };
}
