import type { Stanza } from '@parley/xmpp/stanza';
import type { Route } from '../session/session.ts';

const NONE: readonly Route[] = [];

/** The sessions of an account that get a stanza (RFC 6121 §8.5.2 and §8.5.3); iq to a bare JID is the server's. */
export function selectResources(stanza: Stanza, routes: readonly Route[]): readonly Route[] {
  if (routes.length === 0) return NONE;
  const resource = stanza.to?.resource ?? '';
  if (resource !== '') {
    for (const route of routes) if (route.jid.resource === resource) return [route];
    // §8.5.3.2.1: a message to a resource that is gone goes on as if to the bare JID, unless it is for that one only
    if (stanza.kind !== 'message' || !isConversation(stanza.type)) return NONE;
  }
  switch (stanza.kind) {
    case 'message':
      return messageTargets(stanza.type, routes);
    case 'presence':
      // §8.5.2.1.2: notifications go to all available resources; subscriptions and probes are the account's
      return stanza.type === undefined || stanza.type === 'unavailable'
        ? routes.filter((route) => route.available)
        : NONE;
    case 'iq':
      return NONE;
  }
}

/** Types that are not bound to one resource; an unknown one counts as "normal" (RFC 6121 §5.2.2). */
function isConversation(type: string | undefined): boolean {
  return type !== 'error' && type !== 'groupchat' && type !== 'headline';
}

/** §8.5.2.1.1: all resources that are available with a priority that is not negative; no room messages, no errors. */
function messageTargets(type: string | undefined, routes: readonly Route[]): readonly Route[] {
  if (type === 'groupchat' || type === 'error') return NONE;
  if (routes.length === 1) {
    const only = routes[0] as Route;
    return only.available && only.priority >= 0 ? routes : NONE;
  }
  return routes.filter((route) => route.available && route.priority >= 0);
}
