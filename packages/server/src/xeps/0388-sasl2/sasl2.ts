import { defineModule } from '../../module.ts';
import { SaslAttempts } from '../../stream/sasl-attempts.ts';
import { Sasl2Profile } from './profile.ts';

/** XEP-0388: SASL that does the rest of a login, too, and needs no other stream afterwards. */
export default defineModule({
  name: 'sasl2',
  description: 'Logs clients in by the extensible SASL profile, which takes fewer round trips (XEP-0388).',
  xeps: [{ number: 388, version: '1.0.4', note: 'Over TLS alone, beside the SASL of RFC 6120.' }],
  setup({ features, use }) {
    features.add(new Sasl2Profile(use(SaslAttempts), features));
  },
});
