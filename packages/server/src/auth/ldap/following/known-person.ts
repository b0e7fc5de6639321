import type { PersonState } from '../person-state.ts';

/** What is known of a person without asking the directory. */
export interface KnownPerson {
  readonly id: string;
  readonly dn: string;
  readonly state: PersonState;
}

/** What a state has become by now, where it has an end. */
export function stateAt(state: PersonState, now: number): PersonState {
  if (state.kind === 'active') {
    return state.expiresAt !== undefined && state.expiresAt <= now ? { kind: 'expired' } : state;
  }
  return state.until !== undefined && state.until <= now ? { kind: 'active' } : state;
}

/** When a state ends by itself; Infinity for never. */
export function endOf(state: PersonState): number {
  return (state.kind === 'active' ? state.expiresAt : state.until) ?? Number.POSITIVE_INFINITY;
}

const KINDS = new Set(['active', 'disabled', 'locked', 'expired', 'must-change']);

/** Undefined where the text is no state. */
export function readState(text: string): PersonState | undefined {
  try {
    const state = JSON.parse(text) as PersonState | null;
    return typeof state === 'object' && state !== null && KINDS.has(state.kind) ? state : undefined;
  } catch {
    return undefined;
  }
}

export const sameState = (a: PersonState, b: PersonState): boolean => a.kind === b.kind && endOf(a) === endOf(b);

/** What is kept of a person under the address; undefined where that is nothing. */
export function readPerson(fields: ReadonlyMap<string, Buffer>): KnownPerson | undefined {
  const id = fields.get('id')?.toString();
  const state = readState(fields.get('state')?.toString() ?? '');
  if (id === undefined || state === undefined) return undefined;
  return { id, dn: fields.get('dn')?.toString() ?? '', state };
}
