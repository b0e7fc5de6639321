import type { Stanza } from '@parley/xmpp/stanza';
import type { Route } from '../session/session.ts';
import { withResource } from '../session/with-resource.ts';

const NONE: readonly Route[] = [];

/** The sessions of an account that get a stanza (RFC 6121 §8.5.2 and §8.5.3); docs/stanza-routing.md has the table. */
export function selectResources(stanza: Stanza, routes: readonly Route[]): readonly Route[] {
  if (routes.length === 0) return NONE;
  const { kind, type } = stanza;
  const resource = stanza.to?.resource ?? '';
  // Subscriptions (§3) and probes (§4.3) are the account's, whatever resource they name.
  if (kind === 'presence' && !(type === undefined || type === 'unavailable' || type === 'error')) return NONE;
  if (resource !== '') {
    const named = withResource(routes, resource);
    if (named !== undefined) return [named]; // §8.5.3.1
    // §8.5.3.2.1: only a chat goes on as if to the bare address
    return kind === 'message' && type === 'chat' ? nonNegative(routes) : NONE;
  }
  switch (kind) {
    case 'message':
      return type === 'groupchat' || type === 'error' ? NONE : nonNegative(routes); // §8.5.2.1.1
    case 'presence':
      return type === 'error' ? NONE : routes.filter((route) => route.available); // §8.5.2.1.2
    case 'iq':
      return NONE; // §8.5.2.1.3: the server answers itself
  }
}

/** All resources that are available with a priority that is not negative: "most available", for chats too. */
function nonNegative(routes: readonly Route[]): readonly Route[] {
  if (routes.length === 1) {
    const only = routes[0] as Route;
    return only.available && only.priority >= 0 ? routes : NONE;
  }
  return routes.filter((route) => route.available && route.priority >= 0);
}
