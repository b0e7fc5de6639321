import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../module.ts';

/** XEP-0334: what stores or copies messages heeds the hints; this only says so. */
export default defineModule({
  name: 'hints',
  description: 'Tells that the hints of senders on storing and copying are heeded (XEP-0334).',
  xeps: [{ number: 334, version: '1.0.0' }],
  features: [NS.hints],
  setup() {},
});
