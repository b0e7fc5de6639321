import { catalogue, LIMITS } from '@parley/metrics/catalogue';
import { STANZA_CONDITIONS } from '@parley/metrics/conditions';
import { seriesSum } from '@parley/metrics/series-sum';
import type { ClusterState } from '../cluster/cluster-state.ts';
import { textIndex } from '../protocol/oid.ts';
import { counter64 } from '../protocol/value.ts';
import { SYNTAX, type Table } from './definition.ts';
import { everyApplication } from './every-application.ts';

interface Counted {
  readonly count: number;
}

const text = (most: number) => ({ text: `SnmpAdminString (SIZE (1..${most}))`, type: 'SnmpAdminString' });

export const limitTable: Table<ClusterState, Counted> = {
  name: 'xmppLimit',
  description: 'How often somebody met a limit, by node and limit.',
  index: [
    'xmppNodeIndex',
    { name: 'xmppLimitName', syntax: text(64), description: 'The name of the limit, as in xmpp.limits.exceeded.' },
  ],
  implied: true,
  *rows(state) {
    for (const { index, metrics } of everyApplication(state)) {
      for (const limit of LIMITS) {
        const count = seriesSum(metrics, catalogue.limitsExceeded, { limit });
        yield { index: [index, ...textIndex(limit, true)], row: { count } };
      }
    }
  },
  columns: [
    {
      name: 'xmppLimitExceeded',
      syntax: SYNTAX.counter,
      units: 'times',
      description: 'Times that somebody met it.',
      value: ({ count }) => counter64(count),
    },
  ],
};

export const errorTable: Table<ClusterState, Counted> = {
  name: 'xmppError',
  description: 'Stanza errors that the server itself answered with, by node and condition.',
  index: [
    'xmppNodeIndex',
    { name: 'xmppErrorCondition', syntax: text(32), description: 'The condition (RFC 6120 section 8.3.3).' },
  ],
  implied: true,
  *rows(state) {
    for (const { index, metrics } of everyApplication(state)) {
      for (const condition of STANZA_CONDITIONS) {
        const count = seriesSum(metrics, catalogue.stanzaErrors, { condition });
        yield { index: [index, ...textIndex(condition, true)], row: { count } };
      }
    }
  },
  columns: [
    {
      name: 'xmppErrors',
      syntax: SYNTAX.counter,
      units: 'errors',
      description: 'Errors with this condition.',
      value: ({ count }) => counter64(count),
    },
  ],
};
