/** What a datagram says of itself before anything of it is believed. */
export type MessageHeader =
  | { readonly version: 0 | 1; readonly community: string }
  | { readonly version: 3; readonly engineId: Buffer; readonly user: string };

const INTEGER = 0x02;
const OCTETS = 0x04;
const SEQUENCE = 0x30;

/**
 * Reads the header of a message (RFC 3417 §8, RFC 3412 §6, RFC 3414 §2.4). Undefined where it is none: whoever goes on with
 * the message may rely on nothing else having been looked at.
 */
export function readMessageHeader(datagram: Buffer): MessageHeader | undefined {
  const message = content(datagram, 0, SEQUENCE);
  const version = message && content(message.octets, 0, INTEGER);
  if (message === undefined || version === undefined || version.octets.length !== 1) return undefined;
  const number = version.octets[0];
  if (number === 0 || number === 1) {
    const community = content(message.octets, version.end, OCTETS);
    return community && { version: number, community: community.octets.toString('utf8') };
  }
  if (number !== 3) return undefined;
  const globalData = content(message.octets, version.end, SEQUENCE);
  const parameters = globalData && content(message.octets, globalData.end, OCTETS);
  const usm = parameters && content(parameters.octets, 0, SEQUENCE);
  const engineId = usm && content(usm.octets, 0, OCTETS);
  const boots = engineId && content(usm.octets, engineId.end, INTEGER);
  const time = boots && content(usm.octets, boots.end, INTEGER);
  const user = time && content(usm.octets, time.end, OCTETS);
  return user && engineId && { version: 3, engineId: engineId.octets, user: user.octets.toString('utf8') };
}

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
