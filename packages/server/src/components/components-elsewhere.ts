import type { Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { Hooks } from '../hooks.ts';
import type { Peers } from '../peers.ts';
import type { Awaitable } from '../pipeline.ts';
import type { ComponentInstance, ComponentInstances } from './component-instances.ts';
import type { QueueLimits } from './output-queue.ts';

export interface ComponentsElsewhereOptions {
  /** The id of this node. */
  readonly self: string;
  readonly peers: Peers;
  readonly events: Hooks['events'];
  readonly instances: ComponentInstances;
  limits(): QueueLimits;
  /** Hands a stanza to an instance of this node. Throws or rejects where it takes no more. */
  take(instance: ComponentInstance, stanza: Stanza): Awaitable<void>;
  /** Answers a stanza that could not be taken. */
  fail(stanza: Stanza, error: unknown): void;
  /** There are others now. */
  onChange(): void;
}

/** What the nodes tell each other: which instances each has, and stanzas for those. */
const INSTANCES = 'component.instances';
const STANZA = 'component.stanza';

interface OnTheWay {
  stanzas: number;
  bytes: number;
}

/** The instances of components that are connected to other nodes. */
export class ComponentsElsewhere {
  readonly #options: ComponentsElsewhereOptions;
  /** What is on its way to each instance. */
  readonly #onTheWay = new Map<string, OnTheWay>();

  constructor(options: ComponentsElsewhereOptions) {
    this.#options = options;
    const { peers, events, instances, onChange } = options;
    peers.on(INSTANCES, (text) => {
      const { node, all } = JSON.parse(text) as { node: string; all: ComponentInstance[] };
      instances.reset(node, all);
      onChange();
    });
    peers.on(STANZA, (text) => this.#receive(text));
    events.on('node.joined', (node) => {
      if (instances.local.length > 0) void peers.ask(node, INSTANCES, this.#ours);
    });
    events.on('node.gone', (node) => instances.nodeGone(node));
  }

  get #ours(): string {
    const all = this.#options.instances.local.map(({ id, domain, since }) => ({ id, domain, since }));
    return JSON.stringify({ node: this.#options.self, all });
  }

  /** Tells all others which instances this node has. Resolves when they know. */
  announce(): Promise<void> | undefined {
    return this.#options.peers.tell(INSTANCES, this.#ours);
  }

  /** Resolves with true when the node has taken it, with false where the instance or the node is not there any more. */
  deliver({ id, node }: ComponentInstance, stanza: Stanza): Promise<boolean> | 'full' {
    const text = `${id} ${stanza}`;
    const { maxStanzas, maxBytes } = this.#options.limits();
    let onTheWay = this.#onTheWay.get(id);
    if (onTheWay === undefined) {
      onTheWay = { stanzas: 0, bytes: 0 };
      this.#onTheWay.set(id, onTheWay);
    }
    if (onTheWay.stanzas >= maxStanzas || (onTheWay.stanzas > 0 && onTheWay.bytes + text.length > maxBytes))
      return 'full';
    onTheWay.stanzas++;
    onTheWay.bytes += text.length;
    return this.#options.peers.ask(node as string, STANZA, text).finally(() => {
      onTheWay.bytes -= text.length;
      if (--onTheWay.stanzas === 0) this.#onTheWay.delete(id);
    });
  }

  /** In the turn in which it came, so that the order stays what it was. */
  #receive(text: string): Awaitable<boolean> {
    const end = text.indexOf(' ');
    const instance = this.#options.instances.here(text.slice(0, end));
    if (instance === undefined) return false;
    const stanza = stanzaFromText(Buffer.from(text.slice(end + 1)));
    const failed = (error: unknown) => {
      this.#options.fail(stanza, error);
      return true;
    };
    try {
      const taken = this.#options.take(instance, stanza);
      return taken instanceof Promise ? taken.then(() => true, failed) : true;
    } catch (error) {
      return failed(error);
    }
  }
}
