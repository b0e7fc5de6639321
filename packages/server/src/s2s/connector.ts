import type { XmlLimits } from '@parley/xmpp/xml-limits';
import { FewAtATime } from '../few-at-a-time.ts';
import { DialError } from '../net/dial.ts';
import { PeerConnection, type PeerContext, type PeerProof } from '../net/peer-connection.ts';
import type { BackTrafficHost } from './back-traffic.ts';
import type { CertificateVerdict } from './certificate-verdict.ts';
import { ConnectionFailure, type ConnectionStep } from './connection-failure.ts';
import type { DialbackKey } from './dialback-key.ts';
import { ExternalRefused, type NegotiationOptions, negotiate } from './negotiation.ts';
import { EstablishedStream } from './outgoing-stream.ts';
import { OutgoingTrunk } from './outgoing-trunk.ts';
import { type Admission, PeerStream } from './peer-stream.ts';
import type { PeerPolicy } from './policy.ts';
import type { Resolver, Target } from './resolver.ts';
import { story, type Tell } from './story.ts';

export interface ConnectorSettings {
  readonly limits: XmlLimits;
  readonly connectMs: number;
  readonly stepMs: number;
  readonly negotiationMs: number;
  readonly acknowledgeMs: number;
  readonly closeMs: number;
  /** Streams that may be set up at the same time. */
  readonly connecting: number;
}

export interface ConnectorOptions {
  readonly settings: () => ConnectorSettings;
  readonly policy: (remote: string) => PeerPolicy;
  readonly resolver: Resolver;
  readonly dialbackKey: DialbackKey;
  /** Whether what the other side has shown proves that it is this domain. */
  readonly judge: (
    tls: PeerProof | undefined,
    remote: string,
    target: Target,
    tell: Tell,
  ) => Promise<CertificateVerdict>;
  /** What connections from a domain of ours to another server are encrypted with. */
  readonly context: (local: string, policy: PeerPolicy) => PeerContext;
  /** What another server may send on a stream of ours (XEP-0288), and who takes it. */
  readonly admission: (policy: PeerPolicy) => Admission;
  readonly taking: () => BackTrafficHost;
}

type Wanted = Pick<NegotiationOptions, 'local' | 'remote' | 'policy' | 'purpose' | 'previous' | 'tell'>;

/** Streams for keys that wait for their turn: strangers can bring about any number of them. */
const MOST_KEYS_WAITING = 1000;
/** Of the places that DNS names, so many are tried. */
const MOST_TARGETS = 8;

const ORDER: readonly ConnectionStep[] = [
  'policy',
  'dns',
  'connection',
  'tls',
  'header',
  'features',
  'certificate',
  'proof',
];

/** Makes streams to other servers. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #turns: Record<'stanzas' | 'keys', FewAtATime>;
  readonly #aborting = new AbortController();
  readonly #setUp = new Set<PeerStream>();

  constructor(options: ConnectorOptions) {
    this.#options = options;
    const most = () => options.settings().connecting;
    // whoever makes us ask for keys keeps nobody from sending stanzas
    const full = () => new ConnectionFailure('connection', 'Too many streams are being set up.', { timeout: true });
    const keys = new FewAtATime({ most, mostWaiting: MOST_KEYS_WAITING, full });
    this.#turns = { stanzas: new FewAtATime({ most }), keys };
  }

  /**
   * Throws a ConnectionFailure. With the purpose `keys`, nothing but `verify` may be asked of the stream, and
   * with `trial` nothing. `listener` hears how it goes. `previous`: the stream before, which the other side may have kept.
   */
  async open(
    local: string,
    remote: string,
    purpose: NegotiationOptions['purpose'] = 'stanzas',
    listener?: Tell,
    previous?: string,
  ): Promise<EstablishedStream> {
    const tell = listener === undefined ? () => {} : story(listener);
    const policy = this.#options.policy(remote);
    tell(policyWords(policy));
    if (!policy.allow) {
      throw new ConnectionFailure('policy', `The policy closes this server to ${remote}.`, { lasting: true });
    }
    const turns = this.#turns[purpose === 'keys' ? 'keys' : 'stanzas'];
    return await turns.run(() => this.#tryAll({ local, remote, policy, purpose, previous, tell }));
  }

  /** Streams that are being set up. */
  get settingUp(): number {
    return this.#setUp.size;
  }

  /** Gives up whatever is being set up. */
  stop(): void {
    this.#aborting.abort();
    for (const stream of this.#setUp) stream.cut('This server stops');
  }

  async #tryAll(wanted: Wanted): Promise<EstablishedStream> {
    const { remote, policy, tell } = wanted;
    const targets = await this.#options.resolver.targets(remote, policy, tell);
    let furthest: ConnectionFailure | undefined;
    for (const target of targets.slice(0, MOST_TARGETS)) {
      try {
        return await this.#try(target, wanted);
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        tell(`failed: ${error.message}`);
        if (furthest === undefined || ORDER.indexOf(error.step) >= ORDER.indexOf(furthest.step)) furthest = error;
        if (error.step === 'proof' || this.#aborting.signal.aborted) break; // the same servers would say the same
      }
    }
    throw furthest ?? new ConnectionFailure('dns', `DNS names no server for ${remote}.`);
  }

  async #try(target: Target, wanted: Wanted): Promise<EstablishedStream> {
    const { local, remote, policy, tell } = wanted;
    const { settings, context, dialbackKey, judge, admission, taking } = this.#options;
    const attempt = async (external: boolean): Promise<EstablishedStream> => {
      const { negotiationMs, acknowledgeMs, stepMs, limits, closeMs } = settings();
      const connection = await this.#connect(target, tell);
      const stream = new PeerStream(connection, local, remote, { limits, stepMs, closeMs });
      const late = `The negotiation took longer than ${Math.round(negotiationMs / 1000)} s`;
      const timer = setTimeout(() => stream.cut(late), negotiationMs);
      this.#setUp.add(stream);
      const negotiated = await negotiate(stream, {
        ...wanted,
        external,
        context: context(local, policy),
        direct: target.tls === 'direct',
        dialbackKey,
        judge: (tls) => judge(tls, remote, target, tell),
        admission: admission(policy),
        signal: AbortSignal.any([this.#aborting.signal, AbortSignal.timeout(Math.min(stepMs, negotiationMs))]),
      }).finally(() => {
        clearTimeout(timer);
        this.#setUp.delete(stream);
      });
      const trunk = new OutgoingTrunk({
        local,
        remote,
        stream,
        negotiated,
        settings: () => ({ acknowledgeMs, verifyMs: stepMs }),
        taking: negotiated.bidirectional ? taking() : undefined,
      });
      return new EstablishedStream(local, remote, trunk, { ...negotiated, proof: negotiated.proof ?? 'dialback' });
    };
    try {
      return await attempt(true);
    } catch (error) {
      if (!(error instanceof ExternalRefused)) throw error;
      tell('once more, without our certificate');
      return await attempt(false);
    }
  }

  async #connect({ host, address, port, tls }: Target, tell: Tell): Promise<PeerConnection> {
    const { connectMs } = this.#options.settings();
    tell(`connecting to ${address} port ${port} (${host}, ${tls === 'direct' ? 'direct TLS' : 'STARTTLS'})`);
    try {
      const signal = AbortSignal.any([this.#aborting.signal, AbortSignal.timeout(connectMs)]);
      return await PeerConnection.open(address, port, signal);
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      const place = `${address} port ${port}`;
      throw new ConnectionFailure('connection', `${connectionWords(error.code, place)}.`, {
        timeout: true,
        cause: error,
      });
    }
  }
}

function policyWords({ entry, allow, authentication, minTls, stanzas, dane, posh }: PeerPolicy): string {
  const source = entry === undefined ? 'the default' : `the entry of ${entry}`;
  if (!allow) return `policy: closed, by ${source}`;
  const further = `${dane ? ', or DANE' : ''}${posh ? ', or POSH' : ''}`;
  return `policy: by ${source}; ${authentication}${further}, TLS ${minTls}, stanzas ${[...stanzas].join(' ') || 'none'}`;
}

function connectionWords(code: string, place: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `Nobody listens at ${place}`;
    case 'ETIMEDOUT':
      return `No answer from ${place}`;
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return `There is no way to ${place}`;
    default:
      return `No connection to ${place} (${code})`;
  }
}
