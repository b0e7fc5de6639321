import { createHmac, timingSafeEqual } from 'node:crypto';
import { SaslError } from '../sasl-error.ts';
import { accountOf, decodeMessage } from './identity.ts';
import type { ChannelBindingType, MechanismExchange, SaslServices, SaslStep, SaslToken } from './mechanism.ts';

/** The mechanisms that prove a token, those to prefer first, and what they bind to. */
export const tokenMechanisms: ReadonlyMap<string, ChannelBindingType | undefined> = new Map([
  ['HT-SHA-256-EXPR', 'tls-exporter'],
  ['HT-SHA-256-UNIQ', 'tls-unique'],
  ['HT-SHA-256-ENDP', 'tls-server-end-point'],
  ['HT-SHA-256-NONE', undefined],
]);

const MAC_BYTES = 32;

/** By which one side shows that it has the token (draft-schmaus-kitten-sasl-ht-09 §3). */
export const tokenMac = (token: string, who: 'Initiator' | 'Responder', binding: Buffer): Buffer =>
  createHmac('sha256', token).update(who).update(binding).digest();

/** HT-SHA-256-*: one message, in which the client proves that it has a token that it was given at an earlier login. */
export class HashedTokenExchange implements MechanismExchange {
  readonly #services: SaslServices;
  readonly #mechanism: string;

  constructor(services: SaslServices, mechanism: string) {
    this.#services = services;
    this.#mechanism = mechanism;
  }

  async step(data: Buffer): Promise<SaslStep> {
    // the name ends with the first NUL; what follows is no text
    const end = data.indexOf(0);
    const mac = data.subarray(end + 1);
    if (end < 1 || mac.length !== MAC_BYTES) throw new SaslError('malformed-request', 'A name and a proof are wanted.');
    const account = accountOf(decodeMessage(data.subarray(0, end)), this.#services.domain);
    const binding = this.#binding();
    let right: SaslToken | undefined;
    for (const token of (await this.#services.tokens?.find(account, this.#mechanism)) ?? []) {
      if (timingSafeEqual(tokenMac(token.secret, 'Initiator', binding), mac)) right = token;
    }
    if (right === undefined) throw new SaslError('not-authorized');
    await right.use();
    return { type: 'success', identity: account, data: tokenMac(right.secret, 'Responder', binding) };
  }

  #binding(): Buffer {
    const type = tokenMechanisms.get(this.#mechanism);
    const data = type === undefined ? Buffer.alloc(0) : this.#services.channelBinding(type);
    if (data === undefined) throw new SaslError('mechanism-too-weak', 'This type of channel binding is not offered.');
    return data;
  }
}
