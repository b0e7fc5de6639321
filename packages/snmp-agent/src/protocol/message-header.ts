/** What a datagram says of itself before anything of it is believed. */
export type MessageHeader =
  | { readonly version: 0 | 1; readonly community: string }
  | {
      readonly version: 3;
      readonly engineId: Buffer;
      readonly engineBoots: number;
      readonly engineTime: number;
      readonly user: string;
      /** Whether it is authenticated, and encrypted. */
      readonly secured: boolean;
    };

/** What is no message, and what is one of a version that nobody reads here. */
export type Unreadable = 'garbage' | 'version';

const INTEGER = 0x02;
const OCTETS = 0x04;
const SEQUENCE = 0x30;
/** What everybody takes (RFC 3412 §6.1, msgMaxSize). */
const LEAST_SIZE = 484;
/** authFlag and privFlag (RFC 3412 §6.4). */
const SECURED = 3;

/**
 * Reads the header of a message (RFC 3417 §8, RFC 3412 §6, RFC 3414 §2.4). Whoever goes on with the message may rely on
 * nothing else having been looked at.
 */
export function readMessageHeader(datagram: Buffer): MessageHeader | Unreadable {
  const message = content(datagram, 0, SEQUENCE);
  const version = message && content(message.octets, 0, INTEGER);
  if (message === undefined || version === undefined) return 'garbage';
  const number = numberIn(version.octets);
  if (number === 0 || number === 1) {
    const community = content(message.octets, version.end, OCTETS);
    return community === undefined ? 'garbage' : { version: number, community: community.octets.toString('utf8') };
  }
  return number === 3 ? (readV3(message.octets, version.end) ?? 'garbage') : 'version';
}

function readV3(message: Buffer, start: number): MessageHeader | undefined {
  const globalData = content(message, start, SEQUENCE);
  const id = globalData && content(globalData.octets, 0, INTEGER);
  const maxSize = id && content(globalData.octets, id.end, INTEGER);
  // RFC 3412 §6: every other value is none of this type
  if (globalData === undefined || maxSize === undefined || numberIn(maxSize.octets) < LEAST_SIZE) return undefined;
  const flags = content(globalData.octets, maxSize.end, OCTETS);
  if (flags?.octets.length !== 1) return undefined;
  const parameters = content(message, globalData.end, OCTETS);
  const usm = parameters && content(parameters.octets, 0, SEQUENCE);
  const engineId = usm && content(usm.octets, 0, OCTETS);
  const boots = engineId && content(usm.octets, engineId.end, INTEGER);
  const time = boots && content(usm.octets, boots.end, INTEGER);
  const user = time && content(usm.octets, time.end, OCTETS);
  if (engineId === undefined || boots === undefined || time === undefined || user === undefined) return undefined;
  return {
    version: 3,
    engineId: engineId.octets,
    engineBoots: numberIn(boots.octets),
    engineTime: numberIn(time.octets),
    user: user.octets.toString('utf8'),
    secured: ((flags.octets[0] as number) & SECURED) === SECURED,
  };
}

/** NaN where it is none that any of them may be. */
const numberIn = (octets: Buffer): number =>
  octets.length === 0 || octets.length > 5 ? Number.NaN : octets.readIntBE(0, octets.length);

/** What stands in the element of this kind that begins there; undefined where there is no such one, or not all of it. */
function content(octets: Buffer, start: number, kind: number): { octets: Buffer; end: number } | undefined {
  const first = octets[start + 1];
  if (octets[start] !== kind || first === undefined) return undefined;
  let length = first;
  let from = start + 2;
  if (first > 0x80) {
    const count = first - 0x80;
    if (count > 4 || from + count > octets.length) return undefined;
    length = octets.readUIntBE(from, count);
    from += count;
  } else if (first === 0x80) return undefined; // RFC 3417 §8: lengths are definite
  const end = from + length;
  return end > octets.length ? undefined : { octets: octets.subarray(from, end), end };
}
