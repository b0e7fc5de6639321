import { Jid } from '../jid.ts';
import { SaslError } from '../sasl-error.ts';
import { decodeMessage } from './identity.ts';
import type { MechanismExchange, SaslServices, SaslStep } from './mechanism.ts';

/** EXTERNAL for clients (RFC 4422 Appendix A, XEP-0178 §2): the certificate says who it is. */
export class ExternalExchange implements MechanismExchange {
  readonly #services: SaslServices;

  constructor(services: SaslServices) {
    this.#services = services;
  }

  step(data: Buffer): SaslStep {
    const { domain } = this.#services;
    const identities = this.#services
      .externalIdentities()
      .filter((identity) => identity.isBare && identity.local !== '' && identity.domain === domain);
    const [first] = identities;
    if (first === undefined) throw new SaslError('not-authorized');

    const authzid = decodeMessage(data);
    if (authzid === '') {
      // The choice between several addresses is the client's.
      if (identities.length > 1) throw new SaslError('invalid-authzid', 'The certificate has several addresses.');
      return { type: 'success', identity: first };
    }
    const asked = Jid.tryParse(authzid);
    const identity = identities.find((each) => each.equals(asked));
    if (identity === undefined) throw new SaslError('invalid-authzid');
    return { type: 'success', identity };
  }
}
