import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Association, NodeReport } from '@parley/metrics/node-report';
import type { Registry } from '@parley/metrics/registry';
import { Components } from './components/components.ts';
import type { Configuration } from './config/schema.ts';
import type { Node } from './node.ts';
import { version } from './version.ts';

/** Whether a node may get new connections, and how it is else. */
export class NodeCondition {
  readonly #node: Node;
  readonly #keyspace: Keyspace;
  readonly #startedAt = Date.now();

  constructor(node: Node, keyspace: Keyspace) {
    this.#node = node;
    this.#keyspace = keyspace;
  }

  /** Why it can take nobody, in words; empty where it can. */
  get notAble(): string[] {
    const { state, trouble } = this.#keyspace;
    const away = state === 'up' ? [] : [`the keyspace is away: ${trouble?.message ?? 'no answer'}`];
    return [...away, ...(this.#node.cluster?.notReady ?? [])];
  }

  /** Why it should get nobody, in words; empty where it should. */
  get notReady(): string[] {
    return [...this.notAble, ...(this.#node.draining ? [whyDraining(this.#node)] : [])];
  }

  get state(): NodeReport['state'] {
    if (this.#node.draining) return 'quiescing';
    if (this.notAble.length > 0) return 'halted';
    return this.#node.load >= 1 ? 'congested' : 'up';
  }

  /** What the node tells whoever watches all of them, under this name. */
  report(registry: Registry, name: string): NodeReport {
    return {
      ...registry.snapshot(name),
      software: version,
      startedAt: this.#startedAt,
      state: this.state,
      reasons: this.notReady,
      associations: associationsOf(this.#node, this.#node.config.snmp),
    };
  }
}

function whyDraining(node: Node): string {
  if (node.stopping) return 'the node is stopping';
  if (node.drainState !== 'off') return 'its sessions go to other nodes (parley drain)';
  return 'it was told to take nobody new (drain.now)';
}

/** The streams that others may see, at most as many as the configuration says. */
function associationsOf(node: Node, { associations, mostAssociations }: Configuration['snmp']): Association[] {
  if (associations === 'none') return [];
  const all = associations === 'all' ? [peers, components, clients] : [peers, components];
  const found: Association[] = [];
  for (const some of all) found.push(...some(node).take(mostAssociations - found.length));
  return found;
}

function* peers({ federation }: Node): Generator<Association, void, undefined> {
  for (const { remote, stream } of federation.routing.queues) {
    if (stream !== undefined) yield { kind: 'peer-out', remote, port: PEERS, since: stream.since };
  }
  for (const { identity, since } of federation.servers.incoming.streams) {
    if (identity !== undefined) yield { kind: 'peer-in', remote: identity.domain, port: PEERS, since };
  }
}

function* components({ offers }: Node): Generator<Association, void, undefined> {
  const all = offers.get(Components) as Components | undefined;
  for (const { domain, since } of all?.connected ?? []) {
    yield { kind: 'component', remote: domain, port: COMPONENTS, since };
  }
}

function* clients({ streams }: Node): Generator<Association, void, undefined> {
  for (const { identity, transport, since } of streams) {
    if (identity !== undefined) yield { kind: 'client', remote: transport.remoteAddress, port: CLIENTS, since };
  }
}

// The protocol, by its port as IANA has it: a listener may be elsewhere (RFC 2788, assocApplicationProtocol).
const CLIENTS = 5222;
const PEERS = 5269;
/** IANA has none; everybody uses this one. */
const COMPONENTS = 5347;
