import type { Element } from '@parley/xmpp/element';
import type { NS } from '@parley/xmpp/namespaces';
import type { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { Stream } from './stream.ts';

/** What makes a stream that of a client, or of another server. */
export interface StreamRole {
  /** Who is at the other end, in words. */
  readonly peer: 'client' | 'server';
  readonly contentNs: typeof NS.client | typeof NS.server;
  /**
   * What is wrong with a header, if anything is. `served` is the domain of ours that it names, `contentNs` the content
   * namespace that it declares.
   */
  headerError(
    stream: Stream,
    header: Element,
    about: { contentNs: string; served: string | undefined },
  ): StreamError | undefined;
  /** What is to be known before features can be offered; nothing more is read until then. */
  prepare?(stream: Stream, header: Element): Awaitable<void>;
  /** Our own header. `from` is what the other side wrote as its address. */
  headerText(stream: Stream, from: string | undefined): string;
  /** A stanza while nobody has taken over the stream's elements. */
  receive(stream: Stream, stanza: Element): Awaitable<void>;
}
