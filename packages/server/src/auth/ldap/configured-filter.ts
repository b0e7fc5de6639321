import { type Filter, FilterParser } from 'ldapts';

/** What is wrong with a filter, to stand behind the name of its option. */
export class ConfiguredFilterError extends Error {
  override name = 'ConfiguredFilterError';
}

/** A filter as an operator has written it (RFC 4515). Nothing else may be put into filters as text. */
export function configuredFilter(text: string): Filter {
  try {
    return FilterParser.parseString(text.trim());
  } catch (error) {
    throw new ConfiguredFilterError(`cannot be understood (${error instanceof Error ? error.message : error})`);
  }
}
