import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { Profiles } from '../auth/profiles.ts';
import { defineModule } from '../module.ts';
import type { Awaitable } from '../pipeline.ts';
import type { Session } from '../session/session.ts';
import { within } from '../within.ts';

/** Presence waits so long for a directory to say whether there is a photo. */
const PATIENCE_MS = 500;

/**
 * XEP-0153: presence says which photo somebody has. Clients say it themselves of photos that they have set; where the
 * photo comes from a directory, many of them know of none.
 */
export default defineModule({
  name: 'vcard-avatars',
  description: 'Says in the presence of people which photo the directory has of them (XEP-0153).',
  xeps: [
    {
      number: 153,
      version: '1.1.1',
      note: 'The server notes photos that come from a directory; clients note those that they set.',
    },
  ],
  setup({ hooks, log, sessions, use }) {
    const profiles = use(Profiles);
    /** What was noted of somebody who is there. */
    const noted = new WeakMap<Session, string>();
    const note = (stanza: Stanza, session: Session): Stanza => {
      const hash = profiles.cached(session.account)?.photo?.hash;
      if (hash === undefined) return stanza;
      noted.set(session, hash);
      return withPhoto(stanza, hash);
    };

    hooks.fromClient.use('transform', (stanza, session): Awaitable<Stanza> => {
      const { account } = session;
      if (stanza.kind !== 'presence' || stanza.type !== undefined) return stanza;
      if (profiles.sources(account.domain).length === 0) return stanza;
      if (profiles.cached(account) !== undefined) return note(stanza, session);
      const asked = profiles.of(account).catch(() => undefined); // it is away: nobody’s presence depends on it
      return within(asked, PATIENCE_MS).then(() => note(stanza, session));
    });

    /** Whoever sees them is shown the photo that they have now. */
    const showAgain = async (account: Jid): Promise<void> => {
      const there = () => sessions.here(account).filter(({ presence }) => presence !== undefined);
      if (there().length === 0) return;
      const hash = (await profiles.of(account))?.profile.photo?.hash;
      for (const session of there()) {
        const { presence } = session;
        if (presence === undefined) continue;
        const shown = presence.child('x', NS.vcardUpdate)?.childText('photo');
        // what the client itself says of a photo is not ours to take away
        if (hash === shown || (hash === undefined && noted.get(session) !== shown)) continue;
        await hooks.fromClient.run(withPhoto(presence, hash ?? ''), session);
      }
    };
    const changed = new Map<string, Jid>();
    let working: Promise<void> | undefined;
    const work = async () => {
      // one after the other: an administrator may change the photos of everybody
      for (const [key, account] of changed) {
        changed.delete(key);
        await showAgain(account).catch((error: Error) =>
          log.debug('vcard.photo', { account: account.bareText, error, message: 'The new photo is not shown yet.' }),
        );
      }
      working = undefined;
    };
    profiles.onChange((account) => {
      changed.set(account.bareText, account);
      if (working !== undefined) return;
      working = work();
      hooks.pending.add(working);
    });
  },
});

/** The presence with this photo noted, unless it is noted already; '' says that there is none. */
export function withPhoto(presence: Stanza, hash: string): Stanza {
  const update = presence.child('x', NS.vcardUpdate);
  if (update?.childText('photo') === hash) return presence;
  const photo = Element.of('photo', NS.vcardUpdate, {}, ...(hash === '' ? [] : [hash]));
  const others = presence.children.filter((child) => typeof child === 'string' || !child.is('x', NS.vcardUpdate));
  const kept =
    update?.children.filter((child) => typeof child === 'string' || !child.is('photo', NS.vcardUpdate)) ?? [];
  return presence.with({ children: [...others, Element.of('x', NS.vcardUpdate, {}, ...kept, photo)] });
}
