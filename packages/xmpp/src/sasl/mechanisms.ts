import { decodeBase64 } from '../base64.ts';
import { SaslError } from '../sasl-error.ts';
import { AnonymousExchange } from './anonymous.ts';
import { ExternalExchange } from './external.ts';
import { GssapiExchange } from './gssapi.ts';
import { HashedTokenExchange } from './hashed-token.ts';
import type { MechanismExchange, SaslExchange, SaslMechanism, SaslServices, SaslStep } from './mechanism.ts';
import { MOST_BEARER_BYTES, OauthBearerExchange } from './oauth-bearer.ts';
import { PlainExchange } from './plain.ts';
import { ScramExchange } from './scram.ts';
import type { ScramHash } from './scram-verifier.ts';

/** All mechanisms, those to prefer first. Which of them a stream offers is the server's to say. */
export const saslMechanisms: readonly SaslMechanism[] = [
  { name: 'EXTERNAL', needsTls: true, needsChannelBinding: false, start: (services) => new ExternalExchange(services) },
  scram('SHA-512', true),
  scram('SHA-256', true),
  scram('SHA-1', true),
  {
    name: 'GSSAPI',
    // what is said after it has no protection of its own (RFC 4752 §5)
    needsTls: true,
    needsChannelBinding: false,
    maxMessageBytes: 65_536, // tickets of Active Directory tell of all groups
    start: (services) => new GssapiExchange(services),
  },
  scram('SHA-512', false),
  scram('SHA-256', false),
  scram('SHA-1', false),
  {
    name: 'OAUTHBEARER',
    needsTls: true,
    needsChannelBinding: false,
    maxMessageBytes: MOST_BEARER_BYTES,
    start: (services) => new OauthBearerExchange(services),
  },
  { name: 'PLAIN', needsTls: true, needsChannelBinding: false, start: (services) => new PlainExchange(services) },
  {
    name: 'ANONYMOUS',
    needsTls: false,
    needsChannelBinding: false,
    takesSilence: true,
    start: (services) => new AnonymousExchange(services),
  },
];

function scram(hash: ScramHash, plus: boolean): SaslMechanism {
  return {
    name: `SCRAM-${hash}${plus ? '-PLUS' : ''}`,
    needsTls: plus,
    needsChannelBinding: plus,
    start: (services) => new ScramExchange(services, { hash, plus }),
  };
}

/** Begins an attempt to log in. Throws SaslError `invalid-mechanism` where the stream does not offer the mechanism. */
export function startSasl(name: string, services: SaslServices): SaslExchange {
  if (services.tokens?.mechanisms.includes(name)) {
    return new Attempt(new HashedTokenExchange(services, name));
  }
  const mechanism = saslMechanisms.find((each) => each.name === name);
  if (mechanism === undefined || !services.offeredMechanisms.includes(name)) throw new SaslError('invalid-mechanism');
  return new Attempt(mechanism.start(services), mechanism);
}

/**
 * Decodes the text of `<auth/>` or `<response/>` (RFC 6120 §6.4.2): nothing gives undefined, `=` gives no bytes.
 * Throws SaslError.
 */
export function decodeSaslData(text: string): Buffer | undefined {
  if (text === '') return undefined;
  if (text === '=') return Buffer.alloc(0);
  const data = decodeBase64(text);
  if (data === undefined) throw new SaslError('incorrect-encoding');
  return data;
}

/** The reverse of decodeSaslData, for `<challenge/>` and `<success/>`. */
export function encodeSaslData(data: Buffer | undefined): string {
  if (data === undefined) return '';
  return data.length === 0 ? '=' : data.toString('base64');
}

/** Room for three parts of an address and a password. */
const MOST_BYTES = 4096;

/** What holds for every mechanism: one message at a time, none after the end, the client speaks first. */
class Attempt implements SaslExchange {
  readonly #exchange: MechanismExchange;
  readonly #takesSilence: boolean;
  readonly #maxMessageBytes: number;
  #state: 'fresh' | 'waiting' | 'busy' | 'over' = 'fresh';

  constructor(
    exchange: MechanismExchange,
    { takesSilence = false, maxMessageBytes = MOST_BYTES }: Partial<SaslMechanism> = {},
  ) {
    this.#exchange = exchange;
    this.#takesSilence = takesSilence;
    this.#maxMessageBytes = maxMessageBytes;
  }

  step(data: Buffer | undefined): SaslStep | Promise<SaslStep> {
    if (this.#state === 'busy' || this.#state === 'over') {
      this.#state = 'over';
      throw new SaslError('malformed-request', 'No message is expected now.');
    }
    if (this.#state === 'fresh' && data === undefined && !this.#takesSilence) {
      // All mechanisms here let the client begin: it is asked to (RFC 4422 §3).
      this.#state = 'waiting';
      return { type: 'challenge', data: Buffer.alloc(0) };
    }
    this.#state = 'busy';
    try {
      const message = data ?? Buffer.alloc(0);
      if (message.length > this.#maxMessageBytes) throw new SaslError('malformed-request', 'The message is too long.');
      const step = this.#exchange.step(message);
      return step instanceof Promise ? this.#settle(step) : this.#leave(step);
    } catch (error) {
      this.#state = 'over';
      throw error;
    }
  }

  async #settle(pending: Promise<SaslStep>): Promise<SaslStep> {
    try {
      return this.#leave(await pending);
    } catch (error) {
      this.#state = 'over';
      throw error;
    }
  }

  #leave(step: SaslStep): SaslStep {
    // A second message while the first was being looked at has ended the attempt.
    if (this.#state !== 'busy') throw new SaslError('malformed-request', 'No message was expected.');
    this.#state = step.type === 'challenge' ? 'waiting' : 'over';
    return step;
  }
}
