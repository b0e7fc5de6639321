import { catalogue } from '@parley/metrics/catalogue';
import { MECHANISMS } from '@parley/metrics/conditions';
import { seriesSum } from '@parley/metrics/series-sum';
import type { Snapshot } from '@parley/metrics/snapshot';
import type { ClusterState } from '../cluster/cluster-state.ts';
import { textIndex } from '../protocol/oid.ts';
import { counter64 } from '../protocol/value.ts';
import { enumeration, SYNTAX, type Table } from './definition.ts';
import { everyApplication } from './every-application.ts';

const KINDS = { message: 1, presence: 2, iq: 3 } as const;
const DIRECTIONS = { clientIn: 1, clientOut: 2, peerIn: 3, peerOut: 4, componentIn: 5, componentOut: 6 } as const;

interface StanzaRow {
  readonly stanzas: number;
}

function stanzasOf(metrics: Pick<Snapshot, 'values'>, kind: string, direction: keyof typeof DIRECTIONS): number {
  const wanted = { kind, direction: direction.endsWith('In') ? 'in' : 'out' };
  if (direction.startsWith('client')) return seriesSum(metrics, catalogue.stanzas, wanted);
  if (direction.startsWith('peer')) return seriesSum(metrics, catalogue.federationStanzas, wanted);
  return seriesSum(metrics, catalogue.componentStanzas, wanted);
}

export const stanzaTable: Table<ClusterState, StanzaRow> = {
  name: 'xmppStanza',
  description: 'Stanzas by node, kind and direction.',
  index: [
    'xmppNodeIndex',
    { name: 'xmppStanzaKind', syntax: enumeration(KINDS), description: 'The kind of the stanzas.' },
    {
      name: 'xmppStanzaDirection',
      syntax: enumeration(DIRECTIONS),
      description: 'Where the stanzas came from or went to: clients, other servers, or components.',
    },
  ],
  *rows(state) {
    for (const { index, metrics } of everyApplication(state)) {
      for (const [kind, first] of Object.entries(KINDS)) {
        for (const [direction, second] of Object.entries(DIRECTIONS)) {
          const stanzas = stanzasOf(metrics, kind, direction as keyof typeof DIRECTIONS);
          yield { index: [index, first, second], row: { stanzas } };
        }
      }
    }
  },
  columns: [
    {
      name: 'xmppStanzas',
      syntax: SYNTAX.counter,
      units: 'stanzas',
      description: 'Stanzas that were taken or given.',
      value: ({ stanzas }) => counter64(stanzas),
    },
  ],
};

interface LoginRow {
  readonly succeeded: number;
  readonly failed: number;
}

export const loginTable: Table<ClusterState, LoginRow> = {
  name: 'xmppLogin',
  description: 'Attempts to log in, by node and mechanism.',
  index: [
    'xmppNodeIndex',
    {
      name: 'xmppLoginMechanism',
      syntax: { text: 'SnmpAdminString (SIZE (1..32))', type: 'SnmpAdminString' },
      description: 'The name of the SASL mechanism; legacy is that of XEP-0078.',
    },
  ],
  implied: true,
  *rows(state) {
    for (const { index, metrics } of everyApplication(state)) {
      for (const mechanism of MECHANISMS) {
        const all = seriesSum(metrics, catalogue.logins, { mechanism });
        const succeeded = seriesSum(metrics, catalogue.logins, { mechanism, outcome: 'success' });
        yield { index: [index, ...textIndex(mechanism, true)], row: { succeeded, failed: all - succeeded } };
      }
    }
  },
  columns: [
    {
      name: 'xmppLoginSuccesses',
      syntax: SYNTAX.counter,
      units: 'attempts',
      description: 'Attempts that succeeded.',
      value: ({ succeeded }) => counter64(succeeded),
    },
    {
      name: 'xmppLoginFailures',
      syntax: SYNTAX.counter,
      units: 'attempts',
      description: 'Attempts that did not.',
      value: ({ failed }) => counter64(failed),
    },
  ],
};
