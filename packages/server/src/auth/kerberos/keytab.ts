import { readFileSync } from 'node:fs';

/** One key of a keytab, without the key. */
export interface KeytabEntry {
  readonly principal: string;
  /** The version of the key (kvno). */
  readonly version: number;
}

/** The second version of the format, which is in the order of the network. */
const MAGIC = 0x0502;

/** The file is not a keytab. */
export class KeytabError extends Error {
  override name = 'KeytabError';
}

/** What a keytab file has keys for, to tell an administrator. Throws where it cannot be read, or is no keytab. */
export function readKeytab(file: string): KeytabEntry[] {
  const bytes = readFileSync(file);
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== MAGIC) throw new KeytabError('it is not a keytab');
  const entries: KeytabEntry[] = [];
  try {
    for (let at = 2; at + 4 <= bytes.length; ) {
      const size = bytes.readInt32BE(at);
      at += 4;
      if (size === 0) break;
      // what is negative is the place of an entry that was removed
      if (size > 0) entries.push(entryIn(bytes.subarray(at, at + size)));
      at += Math.abs(size);
    }
  } catch (error) {
    if (error instanceof RangeError) throw new KeytabError('it is damaged');
    throw error;
  }
  return entries;
}

function entryIn(bytes: Buffer): KeytabEntry {
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw new RangeError();
    at += length;
    return bytes.subarray(at - length, at);
  };
  const counted = () => take(take(2).readUInt16BE());
  const components = take(2).readUInt16BE();
  const realm = counted().toString();
  const names = Array.from({ length: Math.min(components, bytes.length) }, () => counted().toString());
  take(8); // the type of the name, and the time
  const short = take(1).readUInt8();
  take(2); // the type of the key
  counted(); // the key
  // versions above 255 stand behind it
  const long = at + 4 <= bytes.length ? take(4).readUInt32BE() : 0;
  return { principal: `${names.join('/')}@${realm}`, version: long || short };
}
