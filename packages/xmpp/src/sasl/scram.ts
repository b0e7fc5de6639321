import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Jid } from '../jid.ts';
import { SaslError } from '../sasl-error.ts';
import { offersHash } from './downgrade-protection.ts';
import { accountOf, decodeMessage, requireOwnIdentity } from './identity.ts';
import type { ChannelBindingType, MechanismExchange, SaslServices, SaslStep, ScramRelay } from './mechanism.ts';
import { type ClientFirst, parseClientFinal, parseClientFirst } from './scram-message.ts';
import { proofMatches, type ScramHash, type ScramVerifier, serverSignature } from './scram-verifier.ts';

export interface ScramOptions {
  readonly hash: ScramHash;
  /** Whether this is the -PLUS form, with channel binding. */
  readonly plus: boolean;
  /** The server's part of the nonce, at least 18 random bytes as base64 by default. */
  readonly nonce?: string;
}

/** What the first two messages have settled. */
interface Challenge {
  readonly account: Jid;
  readonly verifier: ScramVerifier;
  /** Unknown names go on with a false verifier, and fail even if somebody guesses its keys. */
  readonly known: boolean;
  readonly nonce: string;
  /** What `c=` must be: base64. */
  readonly binding: string;
  /** The client's first message without its header, and the server's, with commas behind them. */
  readonly messages: string;
}

/** SCRAM-SHA-1, -256, -512 and their -PLUS forms (RFC 5802, RFC 7677): the server knows no password. */
export class ScramExchange implements MechanismExchange {
  readonly #services: SaslServices;
  readonly #options: ScramOptions;
  #challenge: Challenge | undefined;
  #relayed: { readonly account: Jid; readonly relay: ScramRelay } | undefined;

  constructor(services: SaslServices, options: ScramOptions) {
    this.#services = services;
    this.#options = options;
  }

  step(data: Buffer): SaslStep | Promise<SaslStep> {
    const message = decodeMessage(data);
    if (this.#relayed !== undefined) return finishRelayed(message, this.#relayed);
    return this.#challenge === undefined ? this.#first(message) : finish(message, this.#challenge);
  }

  #first(message: string): SaslStep | Promise<SaslStep> {
    const first = parseClientFirst(message);
    const account = accountOf(first.username, this.#services.domain);
    requireOwnIdentity(first.authzid, account);
    const binding = Buffer.concat([Buffer.from(first.gs2Header), this.#bindingData(first)]).toString('base64');
    const relay = this.#options.plus ? undefined : this.#services.scramRelay?.(account, this.#options.hash);
    if (relay instanceof Promise)
      return relay.then((found) => this.#relayOrOwn(first, account, binding, message, found));
    return this.#relayOrOwn(first, account, binding, message, relay);
  }

  #relayOrOwn(
    first: ClientFirst,
    account: Jid,
    binding: string,
    message: string,
    relay: ScramRelay | undefined,
  ): SaslStep | Promise<SaslStep> {
    if (relay !== undefined) return this.#relay(account, relay, message);
    const verifier = this.#services.scramVerifier(account, this.#options.hash);
    return verifier instanceof Promise
      ? verifier.then((found) => this.#answer(first, account, binding, found))
      : this.#answer(first, account, binding, verifier);
  }

  /** RFC 5802 §6 */
  #bindingData({ binding }: ClientFirst): Buffer {
    const { offeredMechanisms, channelBindingTypes } = this.#services;
    if (this.#options.plus !== (typeof binding === 'object')) {
      throw new SaslError('malformed-request', 'Channel binding goes with the -PLUS mechanisms, and only with them.');
    }
    // Somebody in between took the -PLUS mechanisms out of what the client saw.
    if (binding === 'y' && offeredMechanisms.some((name) => name.endsWith('-PLUS'))) {
      throw new SaslError('mechanism-too-weak', 'This server does support channel binding.');
    }
    if (typeof binding !== 'object') return Buffer.alloc(0);
    const type = channelBindingTypes.find((offered): offered is ChannelBindingType => offered === binding.type);
    const data = type === undefined ? undefined : this.#services.channelBinding(type);
    if (data === undefined) {
      throw new SaslError('mechanism-too-weak', 'This type of channel binding is not offered.');
    }
    return data;
  }

  async #relay(account: Jid, relay: ScramRelay, message: string): Promise<SaslStep> {
    const challenge = await relay.first(message);
    this.#relayed = { account, relay };
    return { type: 'challenge', data: Buffer.from(challenge) };
  }

  #answer(first: ClientFirst, account: Jid, binding: string, found: ScramVerifier | undefined): SaslStep {
    const { hash, nonce: serverNonce = randomBytes(18).toString('base64') } = this.#options;
    const verifier = found ?? this.#services.falseVerifier(account, hash);
    const nonce = first.nonce + serverNonce;
    let answer = `r=${nonce},s=${verifier.salt.toString('base64')},i=${verifier.iterations}`;
    if (this.#services.downgradeProtection) answer += `,h=${offersHash(this.#services, hash)}`; // XEP-0474 §6.1
    // XEP-0515 §4.1: a client that speaks another version of TLS has somebody in between
    if (this.#services.downgradeProtection && this.#services.tlsVersion) answer += `,t=${this.#services.tlsVersion}`;
    const messages = `${first.bare},${answer},`;
    this.#challenge = { account, verifier, known: found !== undefined, nonce, binding, messages };
    return { type: 'challenge', data: Buffer.from(answer) };
  }
}

function finish(message: string, { account, verifier, known, nonce, binding, messages }: Challenge): SaslStep {
  const final = parseClientFinal(message);
  const authMessage = messages + final.withoutProof;
  const sameNonce = sameText(final.nonce, nonce);
  const sameBinding = sameText(final.binding, binding);
  const proven = proofMatches(verifier, authMessage, final.proof);
  if (!(sameNonce && sameBinding && proven && known)) throw new SaslError('not-authorized');
  const data = Buffer.from(`v=${serverSignature(verifier, authMessage).toString('base64')}`);
  return { type: 'success', identity: account, data };
}

async function finishRelayed(
  message: string,
  { account, relay }: { account: Jid; relay: ScramRelay },
): Promise<SaslStep> {
  parseClientFinal(message);
  return { type: 'success', identity: account, data: Buffer.from(await relay.final(message)) };
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
