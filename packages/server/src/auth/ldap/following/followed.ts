import type { Filter } from 'ldapts';
import type { IdAttribute } from '../entry-id.ts';
import type { Copy } from './copy.ts';

/** Entries of a directory that are followed: which they are, and what keeps them. */
export interface Followed {
  /** A word for keys, logs and metrics: `people`. */
  readonly what: string;
  readonly base: string;
  readonly scope: 'sub' | 'one';
  readonly filter: Filter;
  /** Those that the copy reads, the id among them. */
  readonly attributes: readonly string[];
  readonly id: IdAttribute;
  /** What else decides what the entries mean: where it changes, all are read again. */
  readonly meaning: string;
  /** With what was known before; only the node that follows the directory has one. */
  load(epoch: number, onTrouble: (error: unknown) => void): Promise<Copy>;
  /** Told when everything is known. */
  onComplete?(): void;
}

/** The same for the same entries: a cookie of a directory is worth nothing for others. */
export const shapeOf = ({ base, scope, filter, attributes, id, meaning }: Followed): string =>
  JSON.stringify([base, scope, filter.toString(), [...attributes].sort(), id, meaning]);
