import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { ComponentConfiguration } from '../../config/components.ts';
import { managedDomains } from '../../disclosure.ts';

/** What one component may do for the users of some domains (XEP-0356). */
export class Privileges {
  readonly component: ComponentConfiguration;
  /** Whose users. */
  readonly domains: readonly string[];

  /** `served`: all our domains. */
  constructor(component: ComponentConfiguration, served: readonly string[]) {
    this.component = component;
    this.domains = managedDomains(component.privileges.domains, component.domain, served);
  }

  /** Whether there are any. */
  get any(): boolean {
    const { roster, message, presence, iq } = this.component.privileges;
    return roster !== 'none' || message !== 'none' || presence !== 'none' || iq.length > 0;
  }

  /** Whether it is one of the users, or their server. */
  covers(jid: Jid): boolean {
    return this.domains.includes(jid.domain);
  }

  roster(type: string | undefined): boolean {
    return allows(this.component.privileges.roster, type);
  }

  get rosterPushes(): boolean {
    return this.component.privileges.rosterPushes && this.roster('get');
  }

  get messages(): boolean {
    return this.component.privileges.message === 'outgoing';
  }

  get presence(): boolean {
    return this.component.privileges.presence === 'managedEntity';
  }

  iq(namespace: string, type: string | undefined): boolean {
    return this.component.privileges.iq.some((each) => each.namespace === namespace && allows(each.access, type));
  }

  /** §4.2 and its like: how the component is told. */
  toElement(): Element {
    const { roster, iq } = this.component.privileges;
    const perm = (attributes: { access: string; type?: string; push?: string }, ...children: Element[]) =>
      Element.of('perm', NS.privilege, attributes, ...children);
    const all: Element[] = [];
    if (roster !== 'none') all.push(perm({ access: 'roster', type: roster, push: String(this.rosterPushes) }));
    if (this.messages) all.push(perm({ access: 'message', type: 'outgoing' }));
    if (this.presence) all.push(perm({ access: 'presence', type: 'managed_entity' }));
    if (iq.length > 0) {
      const each = iq.map(({ namespace: ns, access }) => Element.of('namespace', NS.privilege, { ns, type: access }));
      all.push(perm({ access: 'iq' }, ...each));
    }
    return Element.of('privilege', NS.privilege, {}, ...all);
  }
}

const allows = (access: 'none' | 'get' | 'set' | 'both', type: string | undefined): boolean =>
  access === type || (access === 'both' && (type === 'get' || type === 'set'));
