import type { ComponentStream } from './component-stream.ts';

/** One connected instance of a component, on this node or on another. */
export interface ComponentInstance {
  readonly id: string;
  /** The component's domain. */
  readonly domain: string;
  /** When it connected: milliseconds since 1970. */
  readonly since: number;
  /** The node that has it; undefined for this one, which has its stream. */
  readonly node: string | undefined;
  readonly stream: ComponentStream | undefined;
}

const NONE: readonly ComponentInstance[] = [];

/** All connected instances, wherever they are. Every node has the same of each component, but for a moment. */
export class ComponentInstances {
  readonly #byDomain = new Map<string, readonly ComponentInstance[]>();

  of(domain: string): readonly ComponentInstance[] {
    return this.#byDomain.get(domain) ?? NONE;
  }

  /** The instance of this node with this id. */
  here(id: string): ComponentInstance | undefined {
    for (const instance of this.#all()) if (instance.id === id && instance.node === undefined) return instance;
  }

  *#all(): Generator<ComponentInstance, void, undefined> {
    for (const instances of this.#byDomain.values()) yield* instances;
  }

  /** Those of this node. */
  get local(): ComponentInstance[] {
    return [...this.#all()].filter(({ node }) => node === undefined);
  }

  add(stream: ComponentStream): void {
    const { id, domain, since } = stream;
    this.#put({ id, domain, since, node: undefined, stream });
  }

  remove(id: string): void {
    this.#filter((instance) => instance.id !== id);
  }

  /** What another node has now, in place of what it had. */
  reset(node: string, instances: readonly Pick<ComponentInstance, 'id' | 'domain' | 'since'>[]): void {
    this.nodeGone(node);
    for (const { id, domain, since } of instances) this.#put({ id, domain, since, node, stream: undefined });
  }

  nodeGone(node: string): void {
    this.#filter((instance) => instance.node !== node);
  }

  // a new list each time: whoever goes through one is not disturbed; the longest connected first, on every node alike
  #put(instance: ComponentInstance): void {
    const all = [...this.of(instance.domain), instance];
    all.sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
    this.#byDomain.set(instance.domain, all);
  }

  #filter(stays: (instance: ComponentInstance) => boolean): void {
    for (const [domain, instances] of this.#byDomain) {
      if (instances.every(stays)) continue;
      const rest = instances.filter(stays);
      if (rest.length === 0) this.#byDomain.delete(domain);
      else this.#byDomain.set(domain, rest);
    }
  }
}
