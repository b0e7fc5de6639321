import { randomUUID } from 'node:crypto';
import { Jid } from '../jid.ts';
import { decodeMessage } from './identity.ts';
import type { MechanismExchange, SaslServices, SaslStep } from './mechanism.ts';

/** ANONYMOUS (RFC 4505): the trace text is not kept, the name is a random one (XEP-0175 §3). */
export class AnonymousExchange implements MechanismExchange {
  readonly #services: SaslServices;

  constructor(services: SaslServices) {
    this.#services = services;
  }

  step(data: Buffer): SaslStep {
    decodeMessage(data);
    return { type: 'success', identity: Jid.of(randomUUID(), this.#services.domain) };
  }
}
