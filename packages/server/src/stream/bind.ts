import { randomBytes } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Iq } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { StreamFeature } from './features.ts';
import type { Stream } from './stream.ts';

/** Makes the session of this full JID the stream's consumer. Throws a StanzaError where it may not be bound. */
export type OnBind = (stream: Stream, jid: Jid) => Awaitable<void>;

const BIND = Element.of('bind', NS.bind);
const SESSION = Element.of('session', NS.session, {}, Element.of('optional', NS.session));

/** Resource binding (RFC 6120 §7). */
export function resourceBinding(onBind: OnBind): StreamFeature {
  return {
    ns: NS.bind,

    advertise(stream) {
      return stream.identity === undefined || stream.bound ? undefined : BIND;
    },

    handleIq(stream, iq) {
      if (stream.identity === undefined) throw new StreamError('not-authorized', 'Authenticate first.');
      const bound = (jid: Jid) => reply(stream, iq.result(Element.of('bind', NS.bind, {}, jidElement(jid))));
      try {
        if (iq.type !== 'set' || iq.payload?.name !== 'bind') throw new StanzaError('bad-request');
        // who may only see to the account (XEP-0493 §5.1) takes no client's place
        const chooses = stream.access.grant?.only === undefined;
        const jid = chooses ? requestedJid(stream.identity, iq) : stream.identity.withResource(generateResource());
        const answer = onBind(stream, jid);
        if (!(answer instanceof Promise)) return bound(jid);
        return answer.then(
          () => bound(jid),
          (error) => refuse(stream, iq, error),
        );
      } catch (error) {
        return refuse(stream, iq, error);
      }
    },
  };
}

const jidElement = (jid: Jid) => Element.of('jid', NS.bind, {}, jid.toString());

function requestedJid(identity: Jid, iq: Iq): Jid {
  const resource = iq.payload?.childText('resource') ?? '';
  if (resource === '') return identity.withResource(generateResource());
  try {
    return identity.withResource(resource);
  } catch {
    throw new StanzaError('bad-request', { text: 'This is no resource.' }); // RFC 6120 §7.7.2.1
  }
}

/** A resource that nobody can guess (RFC 6120 §7.6). */
export function generateResource(): string {
  return randomBytes(12).toString('base64url');
}

function refuse(stream: Stream, iq: Iq, error: unknown): void {
  if (!(error instanceof StanzaError)) throw error;
  reply(stream, iq.error(error));
}

function reply(stream: Stream, answer: Iq): void {
  stream.send(answer.toString());
}

/** The session element of RFC 3921 §3, which does nothing any more but older clients ask for. */
export function legacySession(): StreamFeature {
  return {
    ns: NS.session,
    advertise(stream) {
      if (stream.identity === undefined || stream.bound) return undefined;
      return SESSION;
    },
  };
}
