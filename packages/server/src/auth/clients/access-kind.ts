import type { Stream } from '../../stream/stream.ts';
import type { StreamAccess } from '../../stream/stream-access.ts';

/** By what a client comes: a password, what was granted by OAuth, or something else, such as a certificate. */
export type AccessKind = 'password' | 'grant' | 'other';

const PASSWORD = /^(?:PLAIN$|SCRAM-|legacy$)/;

/** Tokens of ours are no kind of their own: a client has them for something else. */
export const isByToken = (mechanism: string): boolean => mechanism.startsWith('HT-');

export function kindOf({ mechanism, access }: Stream): AccessKind {
  if (access.grant !== undefined) return 'grant';
  return PASSWORD.test(mechanism) || isByToken(mechanism) ? 'password' : 'other';
}

/** What tells a client from all others of its account: its own id, or that of the OAuth client; undefined where it has none. */
export function clientIdOf({ userAgent, grant }: StreamAccess): string | undefined {
  return userAgent?.id ?? (grant === undefined ? undefined : `oauth ${grant.client}`);
}
