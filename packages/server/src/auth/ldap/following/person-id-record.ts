import type { PersonState } from '../person-state.ts';
import { readState } from './known-person.ts';

/** What is kept by the id of a person: enough to tell what has changed. */
export interface IdRecord {
  /** Empty where the entry is no account: the directory counts it among those followed all the same. */
  readonly account: string;
  readonly dn: string;
  readonly state: PersonState;
  /** What the directory calls the entry when it synchronises, where that is not the id. */
  readonly entryUuid?: string | undefined;
  /** Where this is about to be changed: the address that it will have. The rest is as it was before. */
  readonly next?: string | undefined;
}

export const writeIdRecord = ({ account, dn, state, entryUuid, next }: IdRecord): string =>
  JSON.stringify({ account, dn, state, entryUuid, next });

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Undefined where the text is none. */
export function readIdRecord(line: string): IdRecord | undefined {
  try {
    const { account, dn, state, entryUuid, next } = JSON.parse(line) as Record<string, unknown>;
    const read = readState(JSON.stringify(state));
    if (typeof account !== 'string' || typeof dn !== 'string' || read === undefined) return undefined;
    return { account, dn, state: read, entryUuid: text(entryUuid), next: text(next) };
  } catch {
    return undefined;
  }
}
