/** Streams that other servers begin, for tests: in memory, with whoever else there is made up. */
import { X509Certificate } from 'node:crypto';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { Registry } from '@parley/metrics/registry';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import type { XmlHandler } from '@parley/xmpp/xml-handler';
import { XmlReader } from '@parley/xmpp/xml-reader';
import { onTestFinished } from 'vitest';
import { MemoryTransport } from '../../../../tests/support/memory-transport.ts';
import { type Configuration, configurationSchema } from '../config/schema.ts';
import { Log } from '../log.ts';
import { Pending } from '../pending.ts';
import { errorFor } from '../routing/answer.ts';
import { CertificateAuthority, plainName } from '../stream/testing.ts';
import { type CertificateVerdict, certificateVerdict } from './certificate-verdict.ts';
import type { KeyToVerify } from './dialback-key.ts';
import { dialbackKeys } from './dialback-key.ts';
import { IncomingStreams } from './incoming.ts';
import { PeerRows } from './peer-rows.ts';
import { Policies } from './policies.ts';
import { RememberedStreams } from './remembered-streams.ts';
import { ReturnWays } from './return-ways.ts';

const LIMITS = { maxBytes: 1_000_000, maxElements: 1000, maxDepth: 50, maxAttributes: 50, maxNameLength: 1000 };
const DNS_NAME = 2;

/** Another server's side of a stream that it has begun. */
export class Peer implements XmlHandler {
  readonly transport = new MemoryTransport();
  /** The header that we have answered last. */
  header: Element | undefined;
  readonly inbox: Element[] = [];
  closed = false;
  #reader = new XmlReader(this, LIMITS, true);

  constructor() {
    this.transport.onText = (text) => this.#reader.write(Buffer.from(text));
    this.transport.onEnd = () => {
      this.closed = true;
    };
  }

  send(text: string): void {
    this.transport.push(Buffer.from(text));
  }

  /** Begins a stream, or begins anew. */
  open(from: string | undefined, to = 'montague.example'): void {
    this.#reader = new XmlReader(this, LIMITS, true);
    this.send(
      `<?xml version='1.0'?><stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}' xmlns:db='${NS.dialback}'` +
        `${from === undefined ? '' : ` from='${from}'`} to='${to}' version='1.0'>`,
    );
  }

  get id(): string {
    return this.header?.attr('id') ?? '';
  }

  /** What came since it was last asked, as text without what says nothing. */
  taken(): string[] {
    return this.inbox.splice(0).map((element) => element.toString(NS.client).replaceAll(` xmlns='${NS.dialback}'`, ''));
  }

  /** The condition of the stream error that came last. */
  get error(): string | undefined {
    return this.inbox.findLast(({ name }) => name === 'error')?.elements[0]?.name;
  }

  onStreamOpen(root: Element): void {
    this.header = root;
  }

  onElement(element: Element): void {
    this.inbox.push(element);
  }

  onStreamClose(): void {}
}

/** Nodes that have a keyspace in common and can ask each other things. */
export class SeveralNodes {
  readonly keyspace: Keyspace;
  /** Those that are alive, by id, with what others may ask them. */
  readonly handlers = new Map<string, Map<string, (text: string) => unknown>>();
  #count = 0;

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
  }

  newId(): string {
    const id = String(++this.#count).padStart(16, '0');
    this.handlers.set(id, new Map());
    return id;
  }

  peersOf(id: string): ConstructorParameters<typeof RememberedStreams>[0]['peers'] {
    return {
      on: (subject, handler) => void this.handlers.get(id)?.set(subject, handler),
      ask: async (node, subject, text) => (await this.handlers.get(node)?.get(subject)?.(text)) !== false,
    };
  }
}

export interface IncomingWorld {
  /** What its node has in common with others. */
  readonly keyspace: Keyspace;
  /** The id of its node. */
  readonly id: string;
  readonly incoming: IncomingStreams;
  readonly remembered: RememberedStreams;
  readonly log: Record<string, unknown>[];
  /** Stanzas that were taken, as text. */
  readonly taken: string[];
  /** The same as they are. */
  readonly stanzas: Stanza[];
  /** What its node waits for before it ends. */
  readonly pending: Pending;
  /** Errors that answer others. */
  readonly answered: string[];
  /** Keys that were asked about. */
  readonly asked: KeyToVerify[];
  /** Streams that what we have may go out on, and the pairs that were offered. */
  readonly returnWays: ReturnWays;
  readonly offered: string[];
  /** What is thought of the certificates of domains, where that is not what they are. */
  readonly verdicts: Map<string, CertificateVerdict>;
  /** What the servers of others answer, or what happens instead. */
  verify: (key: KeyToVerify) => Promise<boolean>;
  process: (stanza: Stanza) => Promise<void> | undefined;
  configure(federation: object): void;
  connect(prepare?: (transport: MemoryTransport) => void): Peer;
}

/** We are montague.example and verona.example; on one of `nodes` where streams can be resumed. */
export function incomingWorld(federation: object = {}, nodes = new SeveralNodes({} as Keyspace)): IncomingWorld {
  const configured = (options: object): Configuration =>
    configurationSchema([]).parse({
      domains: ['montague.example', 'verona.example'],
      federation: { enabled: true, ...options },
    });
  let config = configured(federation);
  const { metrics } = new Registry();
  const log: Record<string, unknown>[] = [];
  const policies = new Policies(() => config.federation);
  const key = dialbackKeys('our secret');
  const offered: string[] = [];
  const id = nodes.newId();
  const pending = new Pending();
  const world: Omit<IncomingWorld, 'incoming' | 'remembered' | 'connect'> = {
    id,
    keyspace: nodes.keyspace,
    log,
    pending,
    taken: [],
    stanzas: [],
    answered: [],
    asked: [],
    returnWays: new ReturnWays((local, remote) => offered.push(`${local} ${remote}`)),
    offered,
    verdicts: new Map(),
    verify: () => Promise.resolve(true),
    process: () => undefined,
    configure: (options) => {
      config = configured(options);
    },
  };
  const refuse = (stanza: Stanza, error: unknown) => {
    const answer = errorFor(stanza, error, (fault) => log.push({ event: 'fault', fault }));
    if (answer !== undefined) world.answered.push(answer.toString());
  };
  const remembered = new RememberedStreams({
    keyspace: nodes.keyspace,
    owner: id,
    config: () => config.federation.resumption,
    secret: (purpose) => Buffer.from(`our secret for ${purpose}`),
    peers: nodes.peersOf(id),
    isAlive: (node) => nodes.handlers.has(node),
    pending: (work) => pending.add(work),
    onFault: (fault) => log.push({ event: 'fault', fault }),
  });
  onTestFinished(() => remembered[Symbol.dispose]());
  const incoming = new IncomingStreams({
    remembered,
    config: () => config,
    policy: policies.for,
    judge: async (shown, domain) =>
      world.verdicts.get(domain) ?? (await certificateVerdict(shown?.certificate.raw, shown?.fault, domain)),
    dialbackKey: key,
    returnWays: world.returnWays,
    verifier: {
      verify(request) {
        world.asked.push(request);
        return world.verify(request);
      },
    },
    metrics,
    peerRows: new PeerRows({ metrics, isNamed: () => false, look() {} }),
    log: Log.create({ level: 'debug', output: { write: (line) => log.push(JSON.parse(line)) } }),
    serves: (domain) => domain === 'montague.example' || domain === 'verona.example',
    process: (stanza) => {
      world.taken.push(stanza.toString());
      world.stanzas.push(stanza);
      return world.process(stanza);
    },
    refuse,
    overload: { cause: undefined, load: 0 },
    descriptorLimit: Number.POSITIVE_INFINITY,
    otherConnections: () => 0,
  });
  onTestFinished(() => incoming[Symbol.dispose]());
  const connect: IncomingWorld['connect'] = (prepare) => {
    const peer = new Peer();
    prepare?.(peer.transport);
    incoming.acceptance.accept(peer.transport, true);
    return peer;
  };
  return Object.assign(world, { incoming, remembered, connect });
}

/** Shows a certificate of these domains that is good, or has this fault. */
export async function showing(
  domains: readonly string[],
  fault?: string,
): Promise<(transport: MemoryTransport) => void> {
  const authority = await CertificateAuthority.make();
  const { cert } = await authority.issue(...domains.map((domain) => plainName(DNS_NAME, domain)));
  const certificate = new X509Certificate(cert);
  return (transport) => {
    transport.shown = { certificate, fault };
  };
}

/** Until everything that waits for nothing has gone on. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
