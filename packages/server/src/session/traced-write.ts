import type { Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import { type Span, startSpan } from '../tracing/trace.ts';
import type { Session } from './session.ts';

/** Has a session write a stanza; where that is traced, up to when the operating system has its bytes. */
export function writeTo(session: Session, stanza: Stanza): Awaitable<void> {
  const span = startSpan('xmpp.write');
  if (span === undefined) return session.write(stanza);
  return writeWithin(span.set('xmpp.connection.type', 'c2s'), session, stanza);
}

function writeWithin(span: Span, session: Session, stanza: Stanza): Awaitable<void> {
  const committed = session.write(stanza);
  const written = () => {
    if (!session.ended && !session.detached) {
      session.stream.transport.whenSent(() => span.end());
      return;
    }
    span.set('parley.session.away', true); // its journal has it, or whoever takes what is left behind
    span.end();
  };
  if (!(committed instanceof Promise)) written();
  else committed.then(written, () => span.end('not-committed'));
  return committed;
}
