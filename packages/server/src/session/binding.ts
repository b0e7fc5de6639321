import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Stream } from '../stream/stream.ts';
import { Session, type SessionHost } from './session.ts';
import type { Sessions } from './sessions.ts';

export interface BindingOptions {
  readonly sessions: Sessions;
  readonly host: SessionHost;
  /** Sessions that one account may have at the same time. */
  maxPerAccount(): number;
  onBound(session: Session): void;
}

/** Binds a resource to a stream (RFC 6120 §7). Throws a StanzaError where the account has too many already. */
export function bindSession(options: BindingOptions, stream: Stream, jid: Jid): void {
  const { sessions } = options;
  const others = sessions.of(jid);
  const replaced = others.filter((session) => session.jid.resource === jid.resource);
  const waiting = others.find((session) => session.detached);
  if (replaced.length === 0 && others.length >= options.maxPerAccount()) {
    if (waiting === undefined) throw tooMany(stream);
    waiting.end(); // one that nobody may ever come back to makes room
  }
  // RFC 6120 §7.7.2.2: the newer one is what the user is in front of
  for (const session of replaced)
    session.end(new StreamError('conflict', 'Another session was bound with this resource.'));
  const session = new Session(jid, stream, options.host);
  sessions.add(session);
  stream.bind(session);
  options.onBound(session);
}

function tooMany(stream: Stream): StanzaError {
  stream.host.onLimit(stream, 'sessions-per-account');
  // XEP-0205 §4.4
  const application = Element.of('resource-limit-exceeded', 'urn:xmpp:errors');
  return new StanzaError('resource-constraint', { type: 'wait', text: 'Too many sessions.', application });
}
