import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { Profiles } from '../auth/profiles.ts';
import { defineModule } from '../module.ts';
import type { Awaitable } from '../pipeline.ts';
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
  setup({ hooks, use }) {
    const profiles = use(Profiles);
    const note = (stanza: Stanza, account: Jid): Stanza => {
      const profile = profiles.cached(account);
      return profile?.photo === undefined ? stanza : withPhoto(stanza, profile.photo.hash);
    };

    hooks.fromClient.use('transform', (stanza, { account }): Awaitable<Stanza> => {
      if (stanza.kind !== 'presence' || stanza.type !== undefined) return stanza;
      if (profiles.sources(account.domain).length === 0) return stanza;
      if (profiles.cached(account) !== undefined) return note(stanza, account);
      const asked = profiles.of(account).catch(() => undefined); // it is away: nobody’s presence depends on it
      return within(asked, PATIENCE_MS).then(() => note(stanza, account));
    });
  },
});

/** The presence with this photo noted, unless it is noted already. */
export function withPhoto(presence: Stanza, hash: string): Stanza {
  const update = presence.child('x', NS.vcardUpdate);
  if (update?.childText('photo') === hash) return presence;
  const photo = Element.of('photo', NS.vcardUpdate, {}, hash);
  const others = presence.children.filter((child) => typeof child === 'string' || !child.is('x', NS.vcardUpdate));
  const kept =
    update?.children.filter((child) => typeof child === 'string' || !child.is('photo', NS.vcardUpdate)) ?? [];
  return presence.with({ children: [...others, Element.of('x', NS.vcardUpdate, {}, ...kept, photo)] });
}
