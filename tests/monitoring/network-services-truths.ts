import { COMPONENT, PEER, SERVICE } from './busy-cluster.ts';
import { applicationTruths, type Truth } from './column-truths.ts';
import { type History, wrong } from './history.ts';
import type { Samples } from './samples.ts';

// NETWORK-SERVICES-MIB (RFC 2788) by its numbers, against what is known of the nodes.

export const NETWORK_SERVICES = '1.3.6.1.2.1.27';

/** Of assocApplicationType (RFC 2788 §4). */
const [CLIENT, PEER_INITIATOR, PEER_RESPONDER] = ['1', '3', '4'];

export interface Looked {
  /** applTable and assocTable, by column and index, with times in hundredths of a second. */
  readonly applications: ReadonlyMap<string, string>;
  readonly associations: ReadonlyMap<string, string>;
  /** By row, when something was heard of it: before the look, and after it. */
  readonly heard: readonly [before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>];
  readonly history: History;
  /** By row, from the second on. */
  readonly names: readonly string[];
  readonly version: string;
}

/** What is not as it is in truth in applTable. The agent is younger than all nodes: what began before it began at 0. */
export function wrongApplications({ applications, heard, history, names, version }: Looked): string[] {
  const shown = (column: number, row: number) => applications.get(`${column}.${row}`);
  const faults: string[] = [];
  const same = (column: number, row: number, value: string) => {
    if (shown(column, row) !== value) faults.push(`${column}.${row} is ${shown(column, row)}, not ${value}`);
  };
  const opensStreams = (node: number) => history.ofNode(node, applicationTruths[9] as Truth)[0] > 0;
  const all = ['localhost', ...names];
  for (const [place, name] of all.entries()) {
    const row = place + 1;
    same(2, row, name);
    same(3, row, SERVICE.directoryName);
    same(4, row, version);
    same(5, row, '0');
    same(6, row, '1'); // up
    same(16, row, SERVICE.description);
    same(17, row, SERVICE.url);
    // the cluster was down until the agent had heard a node
    const [before, after] = heard.map((times) => times.get(String(row)) ?? Number.NaN) as [number, number];
    faults.push(...wrong(`7.${row}`, shown(7, row), [0, place === 0 ? before - 1 : 0]));
    // while streams are open there is activity in each report
    faults.push(...wrong(`12.${row}`, shown(12, row), [before, after]));
    const outbound = [...names.keys()].filter((node) => node === place - 1 || place === 0).filter(opensStreams);
    const newest = heard.map((times) => Math.max(0, ...outbound.map((node) => times.get(String(node + 2)) as number)));
    faults.push(...wrong(`13.${row}`, shown(13, row), newest as [number, number]));
  }
  return faults;
}

/** What is not as it is in truth in assocTable, whose streams do not change meanwhile. */
export function wrongAssociations({ associations, heard, history, names }: Looked): string[] {
  const faults: string[] = [];
  for (const [place] of names.entries()) {
    const prefix = `2.${place + 2}.`;
    const indexes = [...associations.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(2));
    const rows = indexes.map((index) => {
      const since = Number(associations.get(`5.${index}`));
      const latest = heard[1].get(String(place + 2)) as number;
      if (!(since >= 0 && since <= latest)) faults.push(`5.${index} is ${since}, not 0 to ${latest}`);
      const [remote, protocol, type] = [2, 3, 4].map((column) => associations.get(`${column}.${index}`) ?? '');
      return [remote, protocol?.replace(/.*\.27\.4\./, ''), type].join(' ');
    });
    const samples = history.seen[place]?.at(-1) as Samples;
    const times = (count: number, row: string) => Array.from({ length: count }, () => row);
    const expected = [
      ...times(
        samples.sum('xmpp_streams', { kind: 'c2s', state: ['authenticated', 'bound'] }),
        `127.0.0.1 5222 ${CLIENT}`,
      ),
      ...times(
        samples.sum('xmpp_component_instances', { component: COMPONENT }),
        `${COMPONENT} 5347 ${PEER_INITIATOR}`,
      ),
      ...times(
        samples.sum('xmpp_federation_peer_streams', { peer: PEER, direction: 'in' }),
        `${PEER} 5269 ${PEER_INITIATOR}`,
      ),
      ...times(
        samples.sum('xmpp_federation_peer_streams', { peer: PEER, direction: 'out' }),
        `${PEER} 5269 ${PEER_RESPONDER}`,
      ),
    ];
    if (rows.sort().join() !== expected.sort().join()) {
      faults.push(`the associations of node ${place} are ${rows.join()}, not ${expected.join()}`);
    }
  }
  return faults;
}
