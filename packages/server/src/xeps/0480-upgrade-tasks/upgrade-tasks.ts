import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../../module.ts';
import { Logins } from '../../stream/logins.ts';
import { PasswordChanges } from './password-changes.ts';
import { ScramUpgrades } from './scram-upgrades.ts';

/** XEP-0480: what a client that has proved who it is gives to the server before it is in. */
export default defineModule({
  name: 'upgrade-tasks',
  description:
    'Has clients bring better verifiers of a password, and change one that has expired, as part of a login by SASL2 (XEP-0480).',
  xeps: [
    {
      number: 480,
      version: '0.2.0',
      note: 'UPGR-SCRAM-SHA-256 and -512, asked for only where what is kept is worse; CHANGE-PASSWORD for people of a directory.',
    },
  ],
  setup({ features, accounts, config, log, use }) {
    const logins = use(Logins);
    features.add({ ns: NS.saslUpgrade, tasks: new PasswordChanges({ accounts, config, log, logins }) });
    features.add({ ns: NS.scramUpgrade, tasks: new ScramUpgrades({ accounts, config, log }) });
  },
});
