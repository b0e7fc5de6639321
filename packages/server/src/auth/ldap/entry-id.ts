import { EqualityFilter, type Filter } from 'ldapts';
import type { Entry } from './entry.ts';
import type { DirectorySettings } from './settings.ts';

/** The attribute that tells entries apart, and how its bytes are written. */
export interface IdAttribute {
  readonly attribute: string;
  readonly form: 'text' | 'guid';
}

/** That of the people of a directory, and of its groups. */
export const idAttribute = ({ people, preset }: DirectorySettings): IdAttribute => ({
  attribute: people.id,
  form: preset.idForm,
});

/** The id of an entry in lower case; undefined where it has none. */
export function idOf(entry: Entry, { attribute, form }: IdAttribute): string | undefined {
  const value = entry.attributes.get(attribute.toLowerCase())?.[0];
  if (value === undefined) return undefined;
  return form === 'guid' ? guid(value) : value.toString('utf8').toLowerCase();
}

/** What finds the entry with this id. */
export const filterOf = (id: string, { attribute, form }: IdAttribute): Filter =>
  new EqualityFilter({ attribute, value: form === 'guid' ? guidBytes(id) : id });

/** Microsoft's way of writing 16 bytes: the first three groups are little-endian. */
function guid(bytes: Buffer): string {
  const hex = Buffer.from(bytes);
  if (hex.length === 16) {
    hex.subarray(0, 4).reverse();
    hex.subarray(4, 6).reverse();
    hex.subarray(6, 8).reverse();
  }
  return hex.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The bytes of a GUID that was written by `guid`. */
function guidBytes(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
