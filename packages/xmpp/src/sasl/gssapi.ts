import type { Jid } from '../jid.ts';
import { SaslError } from '../sasl-error.ts';
import { decodeMessage, requireOwnName } from './identity.ts';
import type { GssContext, MechanismExchange, SaslServices, SaslStep } from './mechanism.ts';

/** RFC 4752 §3.3: the layers offered (none, since TLS is there) in one byte, and in three the longest message of one. */
const NO_LAYER = 1;
const OFFER = Buffer.from([NO_LAYER, 0, 0, 0]);

/** Kerberos needs one; a further pair is for its kinds of three messages. */
const MOST_TOKENS = 3;

/** GSSAPI (RFC 4752): Kerberos V5 by the words of the GSS-API, without a security layer. */
export class GssapiExchange implements MechanismExchange {
  readonly #services: SaslServices;
  #context: GssContext | undefined;
  #account: Jid | undefined;
  #tokens = 0;
  /** What the client sends next. */
  #awaited: 'token' | 'nothing' | 'layer' = 'token';

  constructor(services: SaslServices) {
    this.#services = services;
  }

  async step(data: Buffer): Promise<SaslStep> {
    let step: SaslStep | undefined;
    try {
      step = await this.#step(data);
      return step;
    } finally {
      if (step?.type !== 'challenge') this.#context?.end();
    }
  }

  #step(data: Buffer): Promise<SaslStep> {
    switch (this.#awaited) {
      case 'token':
        return this.#accept(data);
      case 'nothing':
        if (data.length > 0) throw new SaslError('malformed-request', 'Nothing was to be said here.');
        return this.#offerLayers();
      case 'layer':
        return this.#choose(data);
    }
  }

  /** §3.2 */
  async #accept(data: Buffer): Promise<SaslStep> {
    if (data.length === 0 || this.#tokens === MOST_TOKENS)
      throw new SaslError('malformed-request', 'A token was expected.');
    this.#tokens += 1;
    const kerberos = this.#services.kerberos;
    if (kerberos === undefined) throw new SaslError('temporary-auth-failure');
    this.#context ??= kerberos.begin();
    const { token, peers } = await this.#context.accept(data);
    if (peers === undefined) return { type: 'challenge', data: token };
    this.#account = kerberos.account(peers);
    if (token.length === 0) return this.#offerLayers();
    this.#awaited = 'nothing';
    return { type: 'challenge', data: token };
  }

  async #offerLayers(): Promise<SaslStep> {
    this.#awaited = 'layer';
    const data = await (this.#context as GssContext).wrap(OFFER);
    return { type: 'challenge', data };
  }

  async #choose(data: Buffer): Promise<SaslStep> {
    const chosen = await (this.#context as GssContext).unwrap(data);
    if (chosen.length < OFFER.length || chosen[0] !== NO_LAYER) {
      throw new SaslError('malformed-request', 'There is no security layer but that of TLS.');
    }
    const identity = this.#account as Jid;
    requireOwnName(decodeMessage(chosen.subarray(OFFER.length)), identity);
    return { type: 'success', identity };
  }
}
