import type { XmlLimits } from '@parley/xmpp/xml-limits';
import type { Configuration } from '../config/schema.ts';
import type { Rate } from '../net/token-bucket.ts';

/** What the configuration says of streams of one kind. */
export interface StreamSettings {
  readonly before: XmlLimits;
  readonly after: XmlLimits;
  readonly timeouts: { readonly authenticateMs: number; readonly bindMs: number; readonly closeMs: number };
  readonly bytes: Rate;
}

/** Those of clients' streams. */
export function clientSettings({ stream, limits }: Configuration): StreamSettings {
  const { beforeAuthentication: before, afterAuthentication: after, maxNameBytes: maxNameLength } = stream;
  return {
    before: { ...before, maxBytes: before.maxElementBytes, maxNameLength },
    after: { ...after, maxBytes: after.maxStanzaBytes, maxNameLength },
    timeouts: {
      authenticateMs: stream.authenticateTimeoutSeconds * 1000,
      bindMs: stream.bindTimeoutSeconds * 1000,
      closeMs: stream.closeTimeoutSeconds * 1000,
    },
    bytes: limits.bytes,
  };
}
