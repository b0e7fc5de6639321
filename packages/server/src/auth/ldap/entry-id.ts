import { EqualityFilter, type Filter } from 'ldapts';
import type { Entry } from './entry.ts';
import { guid, guidBytes } from './person.ts';

/** The attribute that tells entries apart, and how its bytes are written. */
export interface IdAttribute {
  readonly attribute: string;
  readonly form: 'text' | 'guid';
}

/** The id of an entry in lower case; undefined where it has none. */
export function idOf(entry: Entry, { attribute, form }: IdAttribute): string | undefined {
  const value = entry.attributes.get(attribute.toLowerCase())?.[0];
  if (value === undefined) return undefined;
  return form === 'guid' ? guid(value) : value.toString('utf8').toLowerCase();
}

/** What finds the entry with this id. */
export const filterOf = (id: string, { attribute, form }: IdAttribute): Filter =>
  new EqualityFilter({ attribute, value: form === 'guid' ? guidBytes(id) : id });
