import { withoutDelaysOf } from '@parley/xmpp/delay';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { defineModule } from '../module.ts';

/** XEP-0203: nobody but the server notes a delay in the server's name. */
export default defineModule({
  name: 'delay',
  description: 'Takes away notes of delay that clients and other servers forge in the name of this one (XEP-0203).',
  xeps: [{ number: 203, version: '2.0', note: 'Stored messages and presence carry the time at which they were sent.' }],
  features: [NS.delay],
  setup({ hooks, isLocal }) {
    // §5
    const genuine = (stanza: Stanza) => withoutDelaysOf(stanza, (from) => from.isDomain && isLocal(from));
    hooks.fromClient.use('transform', genuine);
    hooks.fromServer.use('transform', genuine);
  },
});
