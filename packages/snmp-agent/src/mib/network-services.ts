import { catalogue } from '@parley/metrics/catalogue';
import { seriesSum } from '@parley/metrics/series-sum';
import {
  accumulatedInbound,
  accumulatedOutbound,
  inboundAssociations,
  outboundAssociations,
} from '../cluster/associations.ts';
import {
  type ApplicationState,
  type ClusterState,
  OPERATIONAL_STATUS,
  type ShownAssociation,
} from '../cluster/cluster-state.ts';
import type { Oid } from '../protocol/oid.ts';
import { counter32, gauge32, integer, objectId, text, timeTicks, type Value } from '../protocol/value.ts';
import type { Cell } from '../protocol/view.ts';
import { everyApplication } from './every-application.ts';

/** { mib-2 27 } (RFC 2788 §4) */
export const NETWORK_SERVICES: Oid = [1, 3, 6, 1, 2, 1, 27];
/** applTCPProtoID: the port follows. */
const TCP: Oid = [...NETWORK_SERVICES, 4];

export interface ServiceDescription {
  /** The distinguished name of the service's entry in a directory, or nothing. */
  readonly directoryName: string;
  readonly description: string;
  readonly url: string;
}

/** How somebody is related to us (assocApplicationType, RFC 2788 §4). */
const TYPES: Record<ShownAssociation['kind'], number> = {
  client: 1, // uainitiator
  component: 3, // peerinitiator: it stands for a domain, not for a person
  'peer-in': 3,
  'peer-out': 4, // peerresponder
};

/** The columns of applTable, from the second on: the first is the index, which cannot be read. */
function application(state: ApplicationState, about: ServiceDescription): readonly Value[] {
  const { metrics } = state;
  const sum = (...args: Parameters<typeof seriesSum> extends [unknown, ...infer Rest] ? Rest : never) =>
    seriesSum(metrics, ...args);
  return [
    text(state.name),
    text(about.directoryName),
    text(state.software),
    timeTicks(state.startedAt),
    integer(OPERATIONAL_STATUS[state.status]),
    timeTicks(state.changedAt),
    gauge32(inboundAssociations(metrics)),
    gauge32(outboundAssociations(metrics)),
    counter32(accumulatedInbound(metrics)),
    counter32(accumulatedOutbound(metrics)),
    timeTicks(state.inboundAt),
    timeTicks(state.outboundAt),
    counter32(
      sum(catalogue.connectionsRefused) +
        sum(catalogue.logins) -
        sum(catalogue.logins, { outcome: 'success' }) +
        sum(catalogue.componentHandshakes, { outcome: ['failed', 'refused'] }) +
        sum(catalogue.federationProofs, { direction: 'in', proof: 'refused' }),
    ),
    counter32(sum(catalogue.federationAttempts) - sum(catalogue.federationAttempts, { outcome: 'connected' })),
    text(about.description),
    text(about.url),
  ];
}

const association = ({ kind, remote, port, since }: ShownAssociation): readonly Value[] => [
  text(remote),
  objectId([...TCP, port]),
  integer(TYPES[kind]),
  timeTicks(since), // a TimeStamp, in spite of its name: when it began
];

/** NETWORK-SERVICES-MIB: applTable, and assocTable where associations are shown. */
export function* networkServicesCells(
  state: ClusterState,
  about: ServiceDescription,
): Generator<Cell, void, undefined> {
  for (const each of everyApplication(state)) {
    for (const [place, value] of application(each, about).entries()) {
      yield { oid: [...NETWORK_SERVICES, 1, 1, place + 2, each.index], value };
    }
    for (const one of each.associations) {
      for (const [place, value] of association(one).entries()) {
        yield { oid: [...NETWORK_SERVICES, 2, 1, place + 2, each.index, one.index], value };
      }
    }
  }
}
