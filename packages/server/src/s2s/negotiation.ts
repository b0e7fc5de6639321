import { domainToASCII } from 'node:url';
import { Element, serializeAttributes } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { isStanza } from '@parley/xmpp/stanza';
import { StreamError } from '@parley/xmpp/stream-error';
import { DialError } from '../net/dial.ts';
import type { PeerContext, PeerProof } from '../net/peer-connection.ts';
import type { CertificateVerdict, CertificateVoucher } from './certificate-verdict.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { DialbackKey } from './dialback-key.ts';
import type { Admission, PeerStream } from './peer-stream.ts';
import type { PeerPolicy } from './policy.ts';
import type { Tell } from './story.ts';
import { limitsElement, readLimits, type StreamLimits, UNLIMITED } from './stream-limits.ts';

export interface NegotiationOptions {
  readonly local: string;
  readonly remote: string;
  readonly policy: PeerPolicy;
  readonly context: PeerContext;
  /** TLS from the first byte. */
  readonly direct: boolean;
  /** False where the other side has refused our certificate before. */
  readonly external: boolean;
  /** What for: `keys` are asked without proving who we are, and on a `trial` nothing goes. */
  readonly purpose: 'stanzas' | 'keys' | 'trial';
  /** What the other side may send where stanzas are to come back (XEP-0288). */
  readonly admission: Admission;
  readonly dialbackKey: DialbackKey;
  /** The stream before, which the other side may have kept (XEP-0198). */
  readonly previous?: string | undefined;
  /** Whether what it has shown, if it has, proves that it is the other domain. */
  readonly judge: (tls: PeerProof | undefined) => Promise<CertificateVerdict>;
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

/** How the other side acknowledges what it gets (XEP-0198). */
export interface StreamManagement {
  /** By which the stream can be resumed; undefined where it cannot. */
  readonly id: string | undefined;
  /** It is the one before, on which the other side has handled so many stanzas: undefined where it is a new one. */
  readonly resumedAt: number | undefined;
  /** How many it has handled of the one before, where that was not resumed and it says so. */
  readonly handledBefore: number | undefined;
}

export interface Negotiated {
  /** How the other side has taken our word; undefined where it was not asked to. */
  readonly proof: 'certificate' | 'dialback' | undefined;
  /** How it has proved its own. */
  readonly verdict: CertificateVoucher | 'dns';
  readonly tls: PeerProof | undefined;
  /** Undefined where it does not say what it gets. */
  readonly management: StreamManagement | undefined;
  /** Stanzas may come back (XEP-0288). */
  readonly bidirectional: boolean;
  /** It refuses further pairs of domains without ending the stream (XEP-0220 §2.3.2). */
  readonly refusesGently: boolean;
  /** What it takes, where it says so (XEP-0478). */
  readonly limits: StreamLimits;
}

/** Our certificate was refused, and the other side has hung up: it may take our word another way. */
export class ExternalRefused extends ConnectionFailure {}

/**
 * Sets a stream up: encryption, the other side's proof of who it is and ours (RFC 6120 §13.7, XEP-0178, XEP-0220). Throws a
 * ConnectionFailure; the stream is over then.
 */
export async function negotiate(stream: PeerStream, options: NegotiationOptions): Promise<Negotiated> {
  try {
    return await new Negotiation(stream, options).run();
  } catch (error) {
    stream.close('the negotiation failed');
    throw error;
  }
}

class Negotiation {
  readonly #stream: PeerStream;
  readonly #options: NegotiationOptions;
  #tls: PeerProof | undefined;
  /** The other side did not take our certificate. */
  #refused = false;
  #bidirectional = false;

  constructor(stream: PeerStream, options: NegotiationOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  async run(): Promise<Negotiated> {
    const { direct, purpose, tell } = this.#options;
    if (direct) await this.#encrypt();
    let features = await this.#stream.open();
    if (!direct) features = await this.#startTls(features);
    const verdict = await this.#judge();
    const found = { verdict, tls: this.#tls, refusesGently: refusesGently(features) };
    if (purpose === 'keys') {
      return { ...found, proof: undefined, management: undefined, bidirectional: false, limits: UNLIMITED };
    }
    this.#bidi(features);
    const after = await this.#external(features);
    if (after === undefined) await this.#dialback();
    const proof = after === undefined ? 'dialback' : 'certificate';
    tell(`proof: it takes our word by ${proof}`);
    const management = await this.#management(after ?? features);
    // what holds before authentication, which is all that there is with dialback, says nothing of what holds after it
    return { ...found, proof, management, bidirectional: this.#bidirectional, limits: readLimits(after) };
  }

  /** Asks for stanzas in both directions (XEP-0288): now it is known who would send them. */
  #bidi(features: Element): void {
    const { policy, purpose, admission, tell } = this.#options;
    const offered = features.child('bidi', NS.bidiFeature) !== undefined;
    const asked = policy.bidirectional === 'ask';
    if (asked || offered)
      tell(
        `both directions on one stream: ${offered ? 'offered' : 'not offered'}, ${asked ? 'and' : 'not'} asked for by the policy`,
      );
    if (!asked || !offered || purpose !== 'stanzas') return;
    this.#bidirectional = true;
    this.#stream.admit(admission);
    const ours = limitsElement(admission.limits.maxBytes); // XEP-0478 §3.2
    this.#stream.write(Element.of('bidi', NS.bidi, {}, ours).toString(NS.server));
  }

  /** The answer to a proof. Who sends stanzas before it has taken our word has not understood what was agreed on. */
  async #answer(): Promise<Element> {
    const answer = await this.#stream.next('proof');
    if (!isStanza(answer)) return answer;
    const error = new StreamError('not-authorized', 'It is too early for stanzas.');
    throw this.#stream.fail('proof', error, 'It sent stanzas before it took our word.', { timeout: true });
  }

  /** Whether it is who it is said to be. */
  async #judge(): Promise<Negotiated['verdict']> {
    const { policy, remote, judge, tell } = this.#options;
    const verdict = await judge(this.#tls);
    tell(`certificate: ${this.#tls === undefined ? 'none without encryption' : verdict.words}`);
    if (verdict.good) return verdict.by ?? 'certificate';
    if (policy.authentication === 'certificate-or-dialback' && !verdict.final) return 'dns';
    throw this.#stream.fail(
      'certificate',
      new StreamError('policy-violation'),
      this.#tls === undefined
        ? `Without encryption it cannot prove that it is ${remote}.`
        : `It cannot prove that it is ${remote}: ${verdict.words}.`,
      { lasting: true },
    );
  }

  async #startTls(features: Element): Promise<Element> {
    const stream = this.#stream;
    if (features.child('starttls', NS.tls) === undefined) {
      if (this.#options.policy.minTls === 'none') return features;
      const words = 'It offers no encryption, which the policy asks for.';
      throw stream.fail('tls', new StreamError('policy-violation'), words, { lasting: true });
    }
    stream.write(`<starttls xmlns='${NS.tls}'/>`);
    const answer = await stream.next('tls');
    if (!answer.is('proceed', NS.tls)) {
      throw stream.fail('tls', new StreamError('policy-violation'), 'It offers encryption and refuses it.');
    }
    if (stream.ahead) {
      throw stream.fail('tls', new StreamError('policy-violation'), 'It went on without encryption after STARTTLS.');
    }
    await this.#encrypt();
    return await stream.open();
  }

  async #encrypt(): Promise<void> {
    const { remote, context, direct, tell, signal } = this.#options;
    try {
      const proof = await this.#stream.connection.startTls(context, domainToASCII(remote), direct, signal);
      this.#tls = proof;
      tell(`TLS: ${proof.protocol} ${proof.cipher}`);
      const { shown } = proof;
      if (shown) tell(`TLS: certificate of ${shown.subject}, by ${shown.issuer}, until ${shown.validTo.toISOString()}`);
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      const late = error.code === 'ETIMEDOUT';
      const words = late ? 'The encryption did not come to be in time' : `The encryption failed: ${tlsWords(error)}`;
      throw new ConnectionFailure('tls', `${words}.`, { timeout: late, cause: error });
    }
  }

  /** SASL EXTERNAL (XEP-0178 §3): the features behind it, or undefined where it was not possible. */
  async #external(features: Element): Promise<Element | undefined> {
    const { local, external, tell } = this.#options;
    const stream = this.#stream;
    const offered = features.child('mechanisms', NS.sasl)?.elements.map((each) => each.text.trim()) ?? [];
    if (!offered.includes('EXTERNAL')) tell('proof: it does not offer to look at our certificate (SASL EXTERNAL)');
    if (!external || this.#tls === undefined || !offered.includes('EXTERNAL')) return undefined;
    const identity = Buffer.from(local).toString('base64');
    stream.write(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>${identity}</auth>`);
    const answer = await this.#answer();
    if (answer.is('success', NS.sasl)) return await stream.open();
    const reason = answer.elements.find(({ name }) => name !== 'text')?.name ?? answer.name;
    const text = answer.childText('text')?.slice(0, 200);
    tell(`proof: it refused our certificate: ${reason}${text ? ` (${text})` : ''}`);
    // who lets us go on does not hang up (XEP-0178 §3, step 9)
    this.#refused = true;
    if (answer.is('failure', NS.sasl) && !stream.over) return undefined;
    throw new ExternalRefused('proof', `It refused our certificate (${reason}).`, { timeout: true });
  }

  /** Server Dialback as the one that wants to speak (XEP-0220 §2.1.1). */
  async #dialback(): Promise<void> {
    const { local, remote, dialbackKey } = this.#options;
    const stream = this.#stream;
    const key = dialbackKey(remote, local, stream.id);
    stream.write(`<db:result${serializeAttributes(['from', local, 'to', remote])}>${key}</db:result>`);
    let answer: Element;
    do {
      try {
        answer = await this.#answer();
      } catch (error) {
        if (!this.#refused || !(error instanceof ConnectionFailure)) throw error;
        throw new ExternalRefused('proof', error.message, { condition: error.condition, cause: error });
      }
    } while (!answersTo(answer, local, remote));
    const type = answer.attr('type');
    if (type === 'valid') return;
    if (type === 'error') {
      const condition = answer.child('error')?.elements[0]?.name ?? answer.elements[0]?.elements[0]?.name;
      const words = `It could not find out whether we are ${local} (${condition ?? 'no reason given'}).`;
      throw new ConnectionFailure('proof', words, { timeout: true });
    }
    const words = `It does not believe that we are ${local}: the server that DNS names for us did not know our key.`;
    throw new ConnectionFailure('proof', words, { condition: 'internal-server-error' });
  }

  /** XEP-0198: the other side says what it has got, and keeps the stream for a while if it is lost. */
  async #management(features: Element): Promise<StreamManagement | undefined> {
    if (features.child('sm', NS.streamManagement) === undefined) return undefined;
    const { previous, policy, tell } = this.#options;
    // a stream that is resumed has one sender and one receiver
    const alone = !this.#bidirectional && !policy.shareStreams;
    let handledBefore: number | undefined;
    if (alone && previous !== undefined) {
      // nothing comes to us on such a stream
      this.#stream.write(
        `<resume${serializeAttributes(['xmlns', NS.streamManagement, 'previd', previous, 'h', '0'])}/>`,
      );
      const answer = await this.#stream.next('features');
      const handled = numberOf(answer.attr('h'));
      if (answer.is('resumed', NS.streamManagement) && handled !== undefined) {
        tell(`stream: it goes on with the one before, of which it has handled ${handled}`);
        return { id: previous, resumedAt: handled, handledBefore: undefined };
      }
      tell('stream: it has not kept the one before');
      handledBefore = handled;
    }
    this.#stream.write(`<enable xmlns='${NS.streamManagement}'${alone ? " resume='true'" : ''}/>`);
    // where both sides send, stanzas may come before it, and those are not counted
    const answer = await this.#stream.coming('features', ({ ns }) => ns === NS.streamManagement);
    if (!answer.is('enabled', NS.streamManagement)) return undefined;
    const id = ['true', '1'].includes(answer.attr('resume') ?? '') ? answer.attr('id') : undefined;
    return { id: id !== undefined && id.length <= LONGEST_ID ? id : undefined, resumedAt: undefined, handledBefore };
  }
}

const refusesGently = (features: Element): boolean =>
  features.child('dialback', NS.dialbackFeature)?.child('errors', NS.dialbackFeature) !== undefined;

/** Of a stream, as the other side calls it: longer ones cost more than they are worth (XEP-0198 §3). */
const LONGEST_ID = 4000;

/** A count of stanzas; undefined where it is none. */
const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 ? Number(text) : undefined;

/** An answer that was not asked for says nothing (XEP-0220 §3.1). */
const answersTo = (answer: Element, local: string, remote: string): boolean =>
  answer.is('result', NS.dialback) && answer.attr('from') === remote && answer.attr('to') === local;

/** OpenSSL's words without what only its authors understand. */
function tlsWords(error: DialError): string {
  const { message } = error.cause instanceof Error ? error.cause : error;
  return /:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? message;
}
