/** Every key of an account lies in one of so many partitions, each of which is in one slot of a Redis Cluster. */
export const PARTITIONS = 1024;

const tags = Array.from({ length: PARTITIONS }, (_, number) => `{p${number}}`);

/** The tag of the keys that belong to no account. */
const GLOBAL_TAG = '{global}';

function fnv1a32(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The partition of an account or a room: FNV-1a (32 bits) over the UTF-8 bytes of its bare JID, modulo 1024. */
export function partition(bareJid: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < bareJid.length; index += 1) {
    const code = bareJid.charCodeAt(index);
    if (code > 0x7f) return fnv1a32(Buffer.from(bareJid)) % PARTITIONS;
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  return (hash >>> 0) % PARTITIONS;
}

/** `{p<number>}`, as it stands in keys and channels. */
export function partitionTag(number: number): string {
  const tag = tags[number];
  if (tag === undefined) throw new RangeError(`There is no partition ${number}`);
  return tag;
}

// What means something in a key: our own separator and escape, Redis's hash tags and patterns. Lone surrogates have no
// UTF-8 form, so two of them would become the same key.
const special = /[%:{}*\p{Cc}\p{Cs}]/u;
const everySpecial = new RegExp(special, 'gu');

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16).toUpperCase();
  return code > 0xff ? `%u${hex}` : `%${hex.padStart(2, '0')}`;
}

/** One part of a key, so that no text from outside can look like another key. */
export function encodePart(part: string): string {
  return special.test(part) ? part.replace(everySpecial, escapeCharacter) : part;
}

const plainName = /^[a-z][a-z0-9-]*$/;

function checkName(name: string): void {
  if (!plainName.test(name)) throw new TypeError(`A key's name is made of a-z, 0-9 and '-', which '${name}' is not`);
}

function join(name: string, tag: string, parts: readonly string[]): string {
  checkName(name);
  let key = `${name}:${tag}`;
  for (const part of parts) key += `:${encodePart(part)}`;
  return key;
}

/** `name:{p<n>}:<bare>[:part…]`: a key of an account or a room. Different arguments give different keys. */
export function accountKey(name: string, bareJid: string, ...parts: string[]): string {
  return join(name, partitionTag(partition(bareJid)), [bareJid, ...parts]);
}

/** `name:{p<n>}[:part…]`: a key of a whole partition, such as an index of what is in it. */
export function partitionKey(name: string, number: number, ...parts: string[]): string {
  return join(name, partitionTag(number), parts);
}

/** `name:{global}[:part…]`: a key that belongs to no account. All of these lie in one slot, so they must stay few. */
export function globalKey(name: string, ...parts: string[]): string {
  return join(name, GLOBAL_TAG, parts);
}

/** What decides where a key lies: the text in its first pair of braces, the whole key where there is none. */
export function hashTag(key: string): string {
  const open = key.indexOf('{');
  if (open < 0) return key;
  const close = key.indexOf('}', open + 1);
  return close <= open + 1 ? key : key.slice(open + 1, close);
}
