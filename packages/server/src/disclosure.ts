import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';

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
  /** Data forms of the server's information (XEP-0128), made anew for each answer. */
  readonly forms: ((domain: Jid) => Element | undefined)[] = [];
  /** Items of a domain: its services. */
  readonly items: ((domain: Jid) => readonly Item[])[] = [];
}
