import type { ComponentConfiguration } from '../config/components.ts';

/** The components of the configuration, by the domains that they serve. */
export class ComponentTable {
  readonly #configured: () => readonly ComponentConfiguration[];
  #of: readonly ComponentConfiguration[] | undefined;
  #byDomain = new Map<string, ComponentConfiguration>();

  constructor(configured: () => readonly ComponentConfiguration[]) {
    this.#configured = configured;
  }

  /** The component with exactly this domain. */
  get(domain: string): ComponentConfiguration | undefined {
    const configured = this.#configured();
    if (configured !== this.#of) {
      this.#of = configured;
      this.#byDomain = new Map(configured.map((each) => [each.domain, each]));
    }
    return this.#byDomain.get(domain);
  }

  /** The component that serves a domain: its own, or one below it, where the nearest counts. */
  serving(domain: string): ComponentConfiguration | undefined {
    const own = this.get(domain);
    if (own !== undefined || this.#byDomain.size === 0) return own;
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      const above = this.#byDomain.get(domain.slice(dot + 1));
      if (above !== undefined) return above.subdomains ? above : undefined;
    }
  }

  get all(): readonly ComponentConfiguration[] {
    return this.#configured();
  }
}
