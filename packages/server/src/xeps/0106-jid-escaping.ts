import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../module.ts';

/** XEP-0106: addresses are compared and relayed as they are; whoever makes them of other names escapes. */
export default defineModule({
  name: 'jid-escaping',
  description: 'Tells that names with characters which addresses cannot hold are escaped (XEP-0106).',
  xeps: [{ number: 106, version: '1.1.1' }],
  features: [NS.jidEscaping],
  setup() {},
});
