import type { Sent } from '../session/sent.ts';
import { type Span, startSpan } from '../tracing/trace.ts';
import type { EstablishedStream } from './outgoing-stream.ts';
import type { RemoteQueue } from './remote-queue.ts';

/** The step of a traced stanza that a queue takes: it ends when the operating system has its bytes, be it after hours. */
export function startWrite(queue: Pick<RemoteQueue, 'ready' | 'state'>): Span | undefined {
  const span = startSpan('xmpp.write');
  if (span === undefined) return undefined;
  span.set('xmpp.connection.type', 's2s').set('parley.stream', queue.state);
  if (!queue.ready) span.outlast(); // for the other server, and nobody knows for how long
  return span;
}

/** A stream has it; where that ends first, the next one is to get it. */
export function endWhenSent(span: Span, stream: Pick<EstablishedStream, 'whenSent'>): void {
  stream.whenSent(() => span.end());
}

/** They wait for the next stream. */
export function outlastAll(waiting: readonly Sent[]): void {
  for (const { span } of waiting) span?.outlast();
}

/** They do not go out. */
export function endUnsent(taken: readonly Sent[], error: string): void {
  for (const { span } of taken) span?.end(error);
}

/** They may go out from another node, which does not know that they are traced. */
export function endHere(left: readonly Sent[]): void {
  for (const { span } of left) span?.set('parley.session.moved', true).end();
}
