import { counter, gauge } from './definition.ts';

/** Limits that external components meet. */
export const COMPONENT_LIMITS = [
  'component-instances',
  'component-rate',
  'component-queue-stanzas',
  'component-queue-bytes',
] as const;

/** What there is to know about external components. */
export const componentMetrics = {
  componentInstances: gauge({
    name: 'xmpp.component.instances',
    unit: '{instance}',
    help: 'Instances of a component that are connected.',
    labels: { component: 'open' },
    combine: 'sum',
  }),
  componentHandshakes: counter({
    name: 'xmpp.component.handshakes',
    unit: '{handshake}',
    help: 'Connections of components that proved who they are, did not, or were one instance too many.',
    labels: { outcome: ['completed', 'failed', 'refused'] },
  }),
  componentStanzas: counter({
    name: 'xmpp.component.stanzas',
    unit: '{stanza}',
    help: 'Stanzas received from (in) and written to (out) components.',
    labels: { component: 'open', kind: ['message', 'presence', 'iq'], direction: ['in', 'out'] },
  }),
  componentUndelivered: counter({
    name: 'xmpp.component.undelivered',
    unit: '{stanza}',
    help: 'Stanzas for a component that no instance took: none was connected, or what waited for it had grown too large.',
    labels: { component: 'open', cause: ['absent', 'full'] },
  }),
  componentWaiting: gauge({
    name: 'xmpp.component.waiting',
    unit: '{stanza}',
    help: 'Stanzas that wait for components that read too slowly.',
    combine: 'sum',
  }),
} as const;
