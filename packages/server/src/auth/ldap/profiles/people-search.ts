import { AndFilter, type Filter, OrFilter, SubstringFilter } from 'ldapts';
import { type Found, type FoundPerson, SEARCH_FIELDS, type SearchField, type SearchTerms } from '../../profiles.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { NoPerson } from '../person.ts';

/** Entries that are looked at beyond those that are shown: some are no accounts, or of people who may not log in. */
const MORE_ENTRIES = 100;

/**
 * People whose attributes begin with what was said, all of it. Whoever cannot log in is not shown. What is looked for
 * is put into filters as objects, so it means nothing but itself.
 */
export async function findPeople(directory: Directory, terms: SearchTerms): Promise<Found> {
  const { settings } = directory;
  const { maxResults } = settings.search;
  const { base, scope, filter } = settings.people;
  const wanted = [...terms].map(([field, text]) => beginsWith(settings.search[field], text));
  if (wanted.length === 0 || wanted.some((each) => each === undefined)) return { people: [], more: false };
  const shown = SEARCH_FIELDS.flatMap((field) => settings.search[field]);
  const sizeLimit = maxResults + MORE_ENTRIES;
  const entries = await directory.search(base, {
    scope,
    filter: new AndFilter({ filters: [filter, ...(wanted as Filter[])] }),
    attributes: [...new Set([...settings.people.attributes, ...shown])],
    sizeLimit,
  });
  const people: FoundPerson[] = [];
  for (const entry of entries) {
    const person = await directory.person(entry);
    if (person instanceof NoPerson) continue;
    const { kind } = person.state;
    if (kind === 'active' || kind === 'must-change')
      people.push({ account: person.account, values: valuesOf(entry, directory) });
  }
  people.sort((a, b) => a.account.bareText.localeCompare(b.account.bareText));
  return { people: people.slice(0, maxResults), more: people.length > maxResults || entries.length >= sizeLimit };
}

function beginsWith(attributes: readonly string[], text: string): Filter | undefined {
  const filters = attributes.map((attribute) => new SubstringFilter({ attribute, initial: text }));
  return filters.length > 1 ? new OrFilter({ filters }) : filters[0];
}

function valuesOf(entry: Entry, { settings }: Directory): Map<SearchField, string> {
  const values = new Map<SearchField, string>();
  for (const field of SEARCH_FIELDS) {
    const text = settings.search[field].map((name) => entry.text(name)).find((value) => value !== undefined);
    if (text !== undefined && text.trim() !== '') values.set(field, text.trim());
  }
  return values;
}
