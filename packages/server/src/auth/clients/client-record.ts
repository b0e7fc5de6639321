import type { Grant } from '../../stream/stream-access.ts';

/** A token that a client has, as it is kept: not the token itself, which the cluster's secret makes of this. */
export interface KeptToken {
  readonly mechanism: string;
  readonly nonce: string;
  /** Milliseconds since 1970, both. */
  readonly issued: number;
  readonly expires: number;
  /** What tells whether the password is still the one that it was given for. */
  readonly mark?: string | undefined;
  /** How often the client says that it has shown it, where it counts (XEP-0484 §3.4). */
  readonly count?: number;
  /** Where the client had it for a token of an identity provider. */
  readonly grant?: Grant | undefined;
}

/** What is kept of one installation of a client. */
export interface ClientRecord {
  readonly software?: string | undefined;
  readonly device?: string | undefined;
  /** When it was there for the first time, and the last. Milliseconds since 1970, both. */
  readonly since: number;
  readonly seen: number;
  /** The resource that it had last. */
  readonly resource?: string | undefined;
  /** By which mechanism it has logged in last, other than by a token of ours. */
  readonly mechanism?: string | undefined;
  /** It has logged in by a password, which it may still know. */
  readonly password?: boolean | undefined;
  /** It has logged in by something else that nobody here can take away: a certificate. */
  readonly other?: boolean | undefined;
  /** It was let in by OAuth. */
  readonly grant?: Pick<Grant, 'client' | 'restricted'> | undefined;
  /** The one that it has shown last, and one that it was given and has not shown yet (XEP-0484 §5.1). */
  readonly current?: KeptToken | undefined;
  readonly next?: KeptToken | undefined;
}

export const encodeClient = (record: ClientRecord): string => JSON.stringify(record);

/** Undefined where nothing is kept. */
export const decodeClient = (text: string): ClientRecord | undefined =>
  text === '' ? undefined : (JSON.parse(text) as ClientRecord);

/** All that it has, the newest first. */
export const tokensOf = ({ next, current }: ClientRecord): KeptToken[] =>
  [next, current].filter((token) => token !== undefined);

/** The tokens that a client may show by a mechanism: the newest first. */
export const tokensFor = (record: ClientRecord, mechanism: string): KeptToken[] =>
  tokensOf(record).filter((token) => token.mechanism === mechanism);

/**
 * What is kept once a client has shown a token; undefined where that is none of its any more. Whatever it was given before is
 * good for nothing from here on (XEP-0484 §3.5).
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

/** When a client was there is kept as exactly as this, in milliseconds: a login that changes nothing else writes nothing. */
const SEEN_MS = 600_000;

/** Whether nothing is to be kept where a client shows the token that it has shown last. */
export const changesNothing = (
  { current, seen }: ClientRecord,
  { nonce, count: counted }: KeptToken,
  now: number,
  count: number | undefined,
): boolean =>
  current?.nonce === nonce && counted === undefined && count === undefined && now >= seen && now - seen < SEEN_MS;

export const withoutTokens = (record: ClientRecord): ClientRecord => ({
  ...record,
  current: undefined,
  next: undefined,
});

/** What is left of it once the password is another one; undefined where that was all by which it came. */
export function withoutPassword(record: ClientRecord): ClientRecord | undefined {
  if (record.grant === undefined && !record.other) return undefined;
  const granted = (token: KeptToken | undefined) => (token?.grant === undefined ? undefined : token);
  return { ...record, password: undefined, current: granted(record.current), next: granted(record.next) };
}

/** What is left of it once what was granted is none any more; undefined where that was all by which it came. */
export function withoutGrant(record: ClientRecord): ClientRecord | undefined {
  return record.password || record.other ? { ...withoutTokens(record), grant: undefined } : undefined;
}
