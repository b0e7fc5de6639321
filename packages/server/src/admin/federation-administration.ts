import { domainPart, JidError } from '@parley/xmpp/jid';
import type { IncomingStreams } from '../s2s/incoming.ts';
import type { IncomingStream } from '../s2s/incoming-stream.ts';
import type { EstablishedStream } from '../s2s/outgoing-stream.ts';
import type { RemoteRouting } from '../s2s/remote-routing.ts';
import type { Tell } from '../s2s/story.ts';
import { AdministrationError } from './administration-error.ts';

/** What goes from one of our domains to another one. */
export interface RemoteStatus {
  readonly local: string;
  readonly remote: string;
  readonly state: 'open' | 'connecting' | 'resting' | 'idle';
  /** Of the stream, if there is one. */
  readonly stream:
    | {
        /** Who has begun it, and whether stanzas go both ways on it. */
        readonly kind: 'ours' | 'ours, both ways' | 'theirs, both ways';
        /** Pairs of domains that it may be used for. */
        readonly pairs: number;
        readonly address: string;
        readonly port: number;
        readonly encryption: string;
        /** How they have taken our word for who we are, and we theirs. */
        readonly tookUsBy: string;
        readonly tookThemBy: string;
        readonly since: string;
        readonly sent: number;
        /** Where stanzas come on it, too. */
        readonly received: number;
        readonly unacknowledged: number;
        readonly idleSeconds: number;
      }
    | undefined;
  /** Stanzas that wait for one. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Why there was none lately. */
  readonly failure: string | undefined;
}

/** A stream that another server has begun, and has proved who it is. */
export interface IncomingStatus {
  readonly local: string;
  /** The domains that may speak on it, the one that came first before the others. */
  readonly remotes: readonly string[];
  readonly address: string;
  readonly encryption: string;
  /** How the first of them has proved who it is. */
  readonly tookThemBy: string;
  readonly received: number;
  /** What we have for the other side may go out on it. */
  readonly bothWays: boolean;
  readonly idleSeconds: number;
}

export interface FederationStatus {
  readonly outgoing: readonly RemoteStatus[];
  readonly incoming: readonly IncomingStatus[];
}

/** What administrators do with streams to other servers. Domains are text as a person wrote them. */
export interface FederationAdministration {
  list(): FederationStatus;
  /** Connects anew, beside what there is, and tells how that goes, line by line. */
  explain(remote: string, local?: string): AsyncIterable<string>;
  /** Resolves when there is a stream. */
  connect(remote: string, local?: string): Promise<void>;
  /** How many streams it closed, in both directions. */
  close(remote: string): number;
}

export interface FederationHost {
  readonly enabled: boolean;
  readonly routing: RemoteRouting;
  readonly servers: { readonly incoming: Pick<IncomingStreams, 'streams' | 'of'> };
  /** A stream beside those that stanzas go on. */
  tryOut(local: string, remote: string, tell: Tell): Promise<EstablishedStream>;
}

export function administerFederation(host: FederationHost, domains: readonly string[]): FederationAdministration {
  const pair = (remoteText: string, localText: string | undefined) => {
    if (!host.enabled) throw new AdministrationError('refused', 'Federation is off: set federation.enabled to true.');
    const remote = prepared(remoteText);
    const local = localText === undefined ? (domains[0] as string) : prepared(localText);
    if (!domains.includes(local)) throw new AdministrationError('invalid', `${local} is not served here.`);
    if (domains.includes(remote)) throw new AdministrationError('invalid', `${remote} is served here.`);
    return { local, remote };
  };
  return {
    list: () => ({
      outgoing: host.routing.queues.map(status),
      incoming: known(host).map(incomingStatus),
    }),
    async *explain(remoteText, localText) {
      const { local, remote } = pair(remoteText, localText);
      const now = host.routing.stream(local, remote);
      if (now !== undefined) yield nowWords(now);
      const { promise, resolve } = Promise.withResolvers<void>();
      let said: string[] = [];
      let more = promise;
      let tellMore = resolve;
      let over = false;
      const tell = (line: string) => {
        said.push(line);
        tellMore();
      };
      const end = host.tryOut(local, remote, tell).then(
        (stream) => {
          stream.close('it was only tried out');
          tell(`It works: there is a way from ${local} to ${remote}.`);
        },
        (error: Error) => tell(`It does not work. ${error.message}`),
      );
      void end.then(() => {
        over = true;
        tellMore();
      });
      while (!over || said.length > 0) {
        const lines = said;
        said = [];
        yield* lines;
        if (over || said.length > 0) continue;
        await more;
        ({ promise: more, resolve: tellMore } = Promise.withResolvers<void>());
      }
    },
    async connect(remoteText, localText) {
      const { local, remote } = pair(remoteText, localText);
      await host.routing.connect(local, remote).catch((error: Error) => {
        throw new AdministrationError('unavailable', error.message);
      });
    },
    close(remoteText) {
      const remote = prepared(remoteText);
      // what goes out on one that the other side has begun is no stream of its own
      const ours = host.routing.queues.filter((queue) => queue.remote === remote && queue.stream?.kind !== THEIRS);
      const closed = ours.filter(({ stream }) => stream !== undefined).length;
      host.routing.close(remote, CLOSED);
      const incoming = known(host).filter(({ proved }) => proved.has(remote));
      for (const { stream } of incoming) stream.close(CLOSED);
      return closed + incoming.length;
    },
  };
}

const THEIRS = 'theirs, both ways';
const CLOSED = 'an administrator closed it';

/** Those that have proved who they are. */
const known = ({ servers: { incoming } }: FederationHost): IncomingStream[] =>
  [...incoming.streams].filter(({ identity }) => identity !== undefined).map((stream) => incoming.of(stream));

function incomingStatus({ stream, proved, received, returns, activeAt }: IncomingStream): IncomingStatus {
  return {
    local: stream.domain,
    remotes: [...proved.keys()],
    address: stream.transport.remoteAddress,
    encryption: stream.transport.tls?.protocol ?? 'none',
    tookThemBy: stream.mechanism,
    received,
    bothWays: returns !== undefined,
    idleSeconds: Math.round((performance.now() - activeAt) / 1000),
  };
}

const BEGUN: Record<EstablishedStream['kind'], string> = {
  ours: 'a stream of ours',
  'ours, both ways': 'a stream of ours, on which stanzas come back',
  'theirs, both ways': 'a stream that it has begun: stanzas go out on it, too',
};

/** What there is, beside which another one is tried. */
function nowWords({ kind, address, port, tls, trunk }: EstablishedStream): string {
  const shared = trunk.pairs.size > 1 ? `, for ${trunk.pairs.size} pairs of domains` : '';
  return `now: ${BEGUN[kind]}${shared}; ${address} port ${port}, ${tls?.protocol ?? 'no encryption'}`;
}

function prepared(text: string): string {
  try {
    return domainPart(text);
  } catch (error) {
    if (error instanceof JidError) throw new AdministrationError('invalid', `That is not a domain: ${error.message}.`);
    throw error;
  }
}

function status({ local, remote, state, stream, waiting, failure }: RemoteRouting['queues'][number]): RemoteStatus {
  return {
    local,
    remote,
    state,
    stream: stream && {
      kind: stream.kind,
      pairs: stream.trunk.pairs.size,
      address: stream.address,
      port: stream.port,
      encryption: stream.tls?.protocol ?? 'none',
      tookUsBy: stream.proof,
      tookThemBy: stream.verdict,
      since: new Date(stream.since).toISOString(),
      sent: stream.sent,
      received: stream.received,
      unacknowledged: stream.unacknowledged,
      idleSeconds: Math.round((performance.now() - stream.usedAt) / 1000),
    },
    waiting: waiting.size,
    waitingBytes: waiting.bytes,
    failure: failure?.message,
  };
}
