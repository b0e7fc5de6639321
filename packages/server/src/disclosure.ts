import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';

export interface Identity {
  readonly category: string;
  readonly type: string;
  readonly name?: string;
}

export interface Item {
  readonly jid: string;
  readonly name?: string;
}

/** What the server tells of itself and of its accounts in service discovery (XEP-0030), gathered from the modules. */
export class Disclosure {
  readonly domainIdentities: Identity[] = [];
  readonly domainFeatures = new Set<string>();
  readonly accountIdentities: Identity[] = [];
  readonly accountFeatures = new Set<string>();
  /**
   * Data forms of the server's information (XEP-0128), made anew for each answer. What they say changes with the
   * configuration alone: the verification string of the server's capabilities covers them (XEP-0115).
   */
  readonly forms: ((domain: Jid) => Element | undefined)[] = [];
  /** Items of a domain: its services. */
  readonly items: ((domain: Jid) => readonly Item[])[] = [];
  /** Nodes of a domain: what stands in the `<query/>` of their information, or undefined for those of others. */
  readonly nodes: ((domain: Jid, node: string) => readonly Element[] | undefined)[] = [];

  /** What stands in the `<query/>` of a domain's information. */
  domainInfo(domain: Jid): Element[] {
    const forms = this.forms.flatMap((form) => form(domain) ?? []);
    return [...info(this.domainIdentities, this.domainFeatures), ...forms];
  }

  /** What stands in the `<query/>` of an account's information. */
  accountInfo(): Element[] {
    return info(this.accountIdentities, this.accountFeatures);
  }
}

function info(identities: readonly Identity[], features: ReadonlySet<string>): Element[] {
  return [
    ...identities.map(({ category, type, name }) => Element.of('identity', NS.discoInfo, { category, type, name })),
    ...Array.from(features, (feature) => Element.of('feature', NS.discoInfo, { var: feature })),
  ];
}

/** The domain of ours that a service lies under, the nearest where one lies under another. */
export function hostOf(service: string, domains: readonly string[]): string | undefined {
  const above = domains.filter((domain) => service.endsWith(`.${domain}`));
  return above.sort((a, b) => b.length - a.length)[0];
}

/** The domains of ours that a component acts for: those that are named, else the one that it lies under, else all. */
export function managedDomains(
  named: readonly string[],
  component: string,
  ours: readonly string[],
): readonly string[] {
  if (named.length > 0) return named;
  const host = hostOf(component, ours);
  return host === undefined ? ours : [host];
}
