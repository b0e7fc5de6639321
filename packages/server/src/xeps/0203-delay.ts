import { withoutDelaysOf } from '@parley/xmpp/delay';
import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../module.ts';

/** XEP-0203: nobody but the server notes a delay in the server's name. */
export default defineModule({
  name: 'delay',
  description: 'Takes away notes of delay that clients forge in the name of the server (XEP-0203).',
  xeps: [{ number: 203, version: '2.0', note: 'Stored messages and presence carry the time at which they were sent.' }],
  features: [NS.delay],
  setup({ hooks, isLocal }) {
    // §5
    hooks.fromClient.use('transform', (stanza) => withoutDelaysOf(stanza, (from) => from.isDomain && isLocal(from)));
  },
});
