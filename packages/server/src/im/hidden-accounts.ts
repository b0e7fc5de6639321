import { hasHint } from '@parley/xmpp/hints';
import type { Stanza } from '@parley/xmpp/stanza';
import { defineModule } from '../module.ts';
import { isKept } from '../session/kept.ts';

/**
 * RFC 6121 §8.5.1: a message for nobody is refused, or ignored. Refused, its sender knows that it went nowhere; ignored, nobody who
 * tries addresses learns which of them somebody has, whose messages are stored without an answer.
 */
export default defineModule({
  name: 'hidden-accounts',
  description: 'Ignores messages of other servers for nobody, where `federation.hideAccounts` is on (RFC 6121 §8.5.1).',
  setup({ accounts, config, hooks, isLocal, metrics, sessions }) {
    const dropped = metrics.stanzasDropped.with({ cause: 'no-account' });

    /** It would be stored if there were somebody. */
    const looksStored = (stanza: Stanza) =>
      isKept(stanza) && config().offline.enabled && !hasHint(stanza, 'no-store') && stanza.to?.local !== '';

    const ignore = (exists: boolean): boolean => {
      if (!exists) dropped.increment();
      return !exists;
    };

    hooks.fromServer.use('deliver', (stanza) => {
      const { to } = stanza;
      if (!config().federation.hideAccounts || to === undefined || !isLocal(to) || !looksStored(stanza)) return false;
      if (sessions.of(to.bare).length > 0) return false;
      const exists = accounts.exists(to.bare);
      return exists instanceof Promise ? exists.then(ignore) : ignore(exists);
    });
  },
});
