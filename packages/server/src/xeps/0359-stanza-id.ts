import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { defineModule } from '../module.ts';

/**
 * XEP-0359: ids of messages that can be trusted. An id says where a message stands in an archive; there is none yet,
 * so none are given. What claims to be one is taken away, and accounts announce that (§3, §5).
 */
export default defineModule({
  name: 'stanza-id',
  description: 'Takes away message ids that are forged in the name of an account (XEP-0359).',
  xeps: [{ number: 359, version: '0.7.0', partial: true, note: 'Forged ids are removed; none are given.' }],
  accountFeatures: [NS.stanzaId],
  setup({ hooks }) {
    hooks.fromClient.use('transform', (stanza, session) => withoutIdsBy(stanza, session.account));
    hooks.toAccount.use('transform', (stanza, { account }) => withoutIdsBy(stanza, account));
  },
});

/** The stanza without any id in the name of `account`, however the name is written; the same one where there is none. */
export function withoutIdsBy(stanza: Stanza, account: Jid): Stanza {
  if (stanza.kind !== 'message' || stanza.childOf(NS.stanzaId) === undefined) return stanza;
  const children = stanza.children.filter(
    (child) =>
      typeof child === 'string' ||
      !child.is('stanza-id', NS.stanzaId) ||
      !account.equals(Jid.tryParse(child.attr('by') ?? '')), // §3: addresses are compared prepared
  );
  return children.length === stanza.children.length ? stanza : stanza.with({ children });
}
