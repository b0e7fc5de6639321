import { readState } from './known-person.ts';
import type { PersonState } from './person-state.ts';

/** What is kept by the id of a person: enough to tell what has changed. */
export interface IdRecord {
  readonly account: string;
  readonly dn: string;
  readonly state: PersonState;
  /** What the directory calls the entry when it synchronises, where that is not the id. */
  readonly entryUuid?: string | undefined;
}

export const writeIdRecord = ({ account, dn, state, entryUuid }: IdRecord): string =>
  JSON.stringify({ account, dn, state, entryUuid });

/** Undefined where the text is none. */
export function readIdRecord(text: string): IdRecord | undefined {
  try {
    const { account, dn, state, entryUuid } = JSON.parse(text) as Record<string, unknown>;
    const read = readState(JSON.stringify(state));
    if (typeof account !== 'string' || typeof dn !== 'string' || read === undefined) return undefined;
    return { account, dn, state: read, ...(typeof entryUuid === 'string' && { entryUuid }) };
  } catch {
    return undefined;
  }
}
