import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { stanzaOf } from '@parley/xmpp/stanza';
import type { Events } from '../events.ts';
import type { EventMap } from '../hooks.ts';
import type { Router } from '../routing/router.ts';
import type { Session } from '../session/session.ts';
import type { Logins } from '../stream/logins.ts';

/** Tells those who have logged in what their login has brought to light: a message from the domain, to this client alone. */
export function tellNotices(logins: Logins, router: Router, events: Events<EventMap>): void {
  const tell = (session: Session): Promise<void> | void => {
    const notice = logins.takeNotice(session.stream);
    if (notice === undefined) return;
    const { jid } = session;
    const attributes = { from: jid.domain, to: jid.toString(), id: session.sessionId };
    const hint = Element.of('no-copy', NS.hints);
    const body = Element.of('body', NS.client, {}, notice);
    return router.route(stanzaOf(Element.of('message', NS.client, attributes, body, hint))) || undefined;
  };
  events.on('session.bound', tell);
  events.on('session.resumed', tell);
}
