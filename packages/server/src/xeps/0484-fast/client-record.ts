/** A token that a client has, as it is kept: not the token itself, which the cluster's secret makes of this. */
export interface KeptToken {
  readonly mechanism: string;
  readonly nonce: string;
  /** Milliseconds since 1970, both. */
  readonly issued: number;
  readonly expires: number;
  /** What tells whether the password is still the one that it was given for. */
  readonly mark?: string | undefined;
  /** How often the client says that it has shown it, where it counts (§3.4). */
  readonly count?: number;
}

/** What is kept of one installation of a client that was given tokens. */
export interface ClientRecord {
  readonly software?: string | undefined;
  readonly device?: string | undefined;
  /** Milliseconds since 1970, both. */
  readonly since: number;
  readonly seen: number;
  /** The one that it has shown last, and one that it was given and has not shown yet (§5.1). */
  readonly current?: KeptToken | undefined;
  readonly next?: KeptToken | undefined;
}

export const encodeClient = (record: ClientRecord): string => JSON.stringify(record);

/** Undefined where nothing is kept. */
export const decodeClient = (text: string): ClientRecord | undefined =>
  text === '' ? undefined : (JSON.parse(text) as ClientRecord);

/** The tokens that a client may show by a mechanism: the newest first. */
export const tokensFor = ({ next, current }: ClientRecord, mechanism: string): KeptToken[] =>
  [next, current].filter((token): token is KeptToken => token?.mechanism === mechanism);

/**
 * What is kept once a client has shown a token; undefined where that is none of its any more. Whatever it was given before is
 * good for nothing from here on (§3.5).
 */
export function shown(
  record: ClientRecord,
  { nonce }: KeptToken,
  seen: number,
  count: number | undefined,
): ClientRecord | undefined {
  const { next, current } = record;
  const token = [next, current].find((each) => each?.nonce === nonce);
  if (token === undefined) return undefined;
  const counted = count === undefined ? token : { ...token, count };
  return { ...record, seen, current: counted, next: token === next ? undefined : next };
}
