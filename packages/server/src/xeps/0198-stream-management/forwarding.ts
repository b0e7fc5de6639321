import { delayElement } from '@parley/xmpp/delay';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../../pipeline.ts';
import type { Router } from '../../routing/router.ts';

/**
 * Has a stanza that its session's client never acknowledged go where it would have gone had the session not been there:
 * to another resource, into the offline storage, or back as an error (XEP-0198 §4). Answers and pushes were for that
 * client alone.
 */
export function forward(router: Router, stanza: Stanza, at: number): Awaitable<void> {
  const { to } = stanza;
  if (to === undefined || stanza.childOf(NS.carbons) !== undefined) return;
  switch (stanza.kind) {
    case 'message':
      return router.route(delayed(stanza, to, at).withOrigin(undefined));
    case 'iq':
      // a request of somebody else: the resource that it is for is gone
      if ((stanza.type === 'get' || stanza.type === 'set') && stanza.from?.resource !== '') return router.route(stanza);
      return;
    case 'presence': // requests are kept with the roster; everything else is out of date
  }
}

function delayed(stanza: Stanza, to: Jid, at: number): Stanza {
  if (stanza.child('delay', NS.delay) !== undefined) return stanza;
  return stanza.append(delayElement(Jid.of(undefined, to.domain), at, 'Not acknowledged'));
}
