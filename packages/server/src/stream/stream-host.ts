import type { LimitName } from '@parley/metrics/catalogue';
import type { StreamError } from '@parley/xmpp/stream-error';
import type { XmlLimits } from '@parley/xmpp/xml-limits';
import type { StreamFeatures } from './features.ts';
import type { Stream } from './stream.ts';
import type { StreamRole } from './stream-role.ts';

/** What a stream needs to know of its server. */
export interface StreamHost {
  readonly role: StreamRole;
  readonly features: StreamFeatures;
  /** The domain that is served under this name, or undefined. */
  domain(name: string): string | undefined;
  readonly limitsBefore: XmlLimits;
  readonly limitsAfter: XmlLimits;
  readonly timeouts: { readonly authenticateMs: number; readonly bindMs: number; readonly closeMs: number };
  /** Streams without a version (before RFC 3920) are accepted: only where XEP-0078 is on. */
  readonly acceptOldVersion: boolean;
  /** A fault of ours: logged by the host, shown to nobody. */
  onFault(error: unknown, stream: Stream): void;
  /** Counts the bytes that arrived; a number of milliseconds says how long not to read on. */
  onBytes(stream: Stream, count: number): number;
  /** So many bytes are written. */
  onWritten(count: number): void;
  /** The peer has proved who it is. */
  onAuthenticated(stream: Stream): void;
  /** A TLS handshake ended, with an error where it failed. */
  onHandshake(stream: Stream, error?: unknown): void;
  /** The stream is over. Called once. */
  onEnd(stream: Stream): void;
  /** Its connection is gone, too, which may be a while later. Called once. */
  onDisconnect(stream: Stream): void;
  /** A stream error is sent. */
  onError(stream: Stream, error: StreamError): void;
  onLimit(stream: Stream, limit: LimitName): void;
}
