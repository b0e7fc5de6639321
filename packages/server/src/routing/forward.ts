import { delayElement } from '@parley/xmpp/delay';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Origin, Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { Router } from './router.ts';

/**
 * Has a stanza for a session that is over go where it would have gone had the session not been there: to another
 * resource, into the offline storage, or back as an error (XEP-0198 §4). Answers, pushes and copies were for that client
 * alone. `at`: when it had been taken for the session, milliseconds since 1970; left out where that was just now. `origin`
 * is what it is known by from then on: that somebody got later ones of the same sender says nothing about it.
 */
export function forward(router: Router, stanza: Stanza, at?: number, origin?: Origin): Awaitable<void> {
  const { to } = stanza;
  if (to === undefined) return;
  switch (stanza.kind) {
    case 'message':
      if (isCopy(stanza)) return;
      return router.route(at === undefined ? stanza : delayed(stanza, to, at).withOrigin(origin));
    case 'iq':
      // a request of somebody else: the resource that it is for is gone
      return isRequest(stanza) && stanza.from?.isBare === false ? router.route(stanza) : undefined;
    case 'presence': // requests are kept with the roster; everything else is out of date
  }
}

const isRequest = ({ type }: Stanza): boolean => type === 'get' || type === 'set';

/** A copy that the account sent to its other resources (XEP-0280). */
export function isCopy(stanza: Stanza): boolean {
  if (stanza.from?.equals(stanza.to?.bare) !== true) return false;
  return stanza.child('received', NS.carbons) !== undefined || stanza.child('sent', NS.carbons) !== undefined;
}

function delayed(stanza: Stanza, to: Jid, at: number): Stanza {
  if (stanza.child('delay', NS.delay) !== undefined) return stanza;
  return stanza.append(delayElement(Jid.of(undefined, to.domain), at, 'Not acknowledged'));
}
