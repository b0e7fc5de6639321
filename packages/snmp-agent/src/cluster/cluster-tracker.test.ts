import { catalogue } from '@parley/metrics/catalogue';
import { seriesSum } from '@parley/metrics/series-sum';
import { beforeEach, describe, expect, it } from 'vitest';
import { TestNode } from '../testing-reports.ts';
import type { ClusterState } from './cluster-state.ts';
import { ClusterTracker, type TrackerRecord } from './cluster-tracker.ts';

const EPOCH = 1_000_000;
const settings = { name: 'all', downAfterMs: 15_000, restartMs: 60_000, forgetMs: 600_000 };

let tracker: ClusterTracker;
let one: TestNode;
let two: TestNode;
beforeEach(() => {
  tracker = new ClusterTracker(settings, EPOCH);
  one = new TestNode('one', EPOCH - 5000);
  two = new TestNode('two', EPOCH + 3000);
});

/** What the tracker makes of these nodes' reports, of that moment. */
const seen = (seconds: number, ...nodes: TestNode[]): ClusterState =>
  tracker.update(
    nodes.map((node) => node.report(EPOCH + seconds * 1000)),
    seconds * 1000,
  );

const statuses = ({ nodes }: ClusterState) => nodes.map(({ name, status }) => `${name} ${status}`);
const accepted = ({ cluster }: ClusterState) => seriesSum(cluster.metrics, catalogue.connectionsAccepted);
const accept = (node: TestNode, count: number) =>
  node.registry.metrics.connectionsAccepted.with({ transport: 'tcp' }).add(count);

describe('the picture of a cluster', () => {
  it('has a row for each node, which it keeps', () => {
    const state = seen(5, one, two);
    expect(state.nodes.map(({ index, name, startedAt }) => [index, name, startedAt])).toEqual([
      [2, 'one', 0],
      [3, 'two', 3000],
    ]);
    expect(state.cluster).toMatchObject({ index: 1, name: 'all', status: 'up', software: '1.0.0' });
    two.software = '1.1.0';
    expect(seen(10, two, one).cluster.software).toBe('mixed 1.0.0/1.1.0');
    const anew = new ClusterTracker(settings, EPOCH, tracker.record);
    expect(anew.update([two.report(EPOCH + 20_000)], 1000).nodes[0]?.index).toBe(3);
  });

  it('shows a node that is not heard any more for a while', () => {
    seen(5, one, two);
    expect(statuses(seen(20, one))).toEqual(['one up', 'two up']);
    const down = seen(21, one);
    expect(statuses(down)).toEqual(['one up', 'two down']);
    expect(down.nodes[1]).toMatchObject({ changedAt: 21_000, heardAt: 5000 });
    expect(statuses(seen(30, one, two))).toEqual(['one up', 'two up']);
    expect(statuses(seen(46, one))).toEqual(['one up', 'two down']);
    expect(statuses(seen(700, one))).toEqual(['one up']);
  });

  it('takes nobody for gone while it can hear nobody', () => {
    accept(one, 10);
    const report = one.report(EPOCH + 5000);
    tracker.update([report, two.report(EPOCH - 20_000)], 5000);
    const deaf = tracker.update(undefined, 7000);
    expect([statuses(deaf), deaf.cluster.status]).toEqual([['one halted', 'two down'], 'halted']);
    expect(seriesSum(deaf.cluster.metrics, catalogue.keyspaceState)).toBe(0);
    const long = tracker.update(undefined, 7_000_000);
    expect(statuses(long)).toEqual(['one halted', 'two down']);
    expect(long.nodes[0]).toMatchObject({ changedAt: 7000, heardAt: 5000 });
    // it has a while to be heard again, and has counted nothing twice
    expect(statuses(tracker.update([report], 7_010_000))).toEqual(['one up', 'two down']);
    expect(accepted(seen(7012, one))).toBe(10);
    expect(statuses(seen(7030))).toEqual(['one down', 'two down']);
  });

  it('takes a report that is no newer for none', () => {
    const report = two.report(EPOCH + 5000);
    tracker.update([report], 5000);
    expect(statuses(tracker.update([report], 21_000))).toEqual(['two down']);
  });

  it('does not take for alive who has told something long ago', () => {
    const state = tracker.update([one.report(EPOCH - 20_000), two.report(EPOCH)], 0);
    expect(statuses(state)).toEqual(['one down', 'two up']);
  });

  it('misses nobody who stops in order', () => {
    seen(5, one, two);
    two.state = 'quiescing';
    expect(statuses(seen(10, one, two))).toEqual(['one up', 'two quiescing']);
    expect(statuses(seen(26, one))).toEqual(['one up', 'two restarting']);
    expect(statuses(seen(86, one))).toEqual(['one up']);
  });

  it('is in the best state of its nodes', () => {
    one.state = 'congested';
    two.state = 'halted';
    expect(seen(5, one, two).cluster.status).toBe('congested');
    expect(seen(30).cluster).toMatchObject({ status: 'down', changedAt: 30_000 });
  });

  it('never counts backwards', () => {
    accept(one, 10);
    accept(two, 5);
    expect(accepted(seen(5, one, two))).toBe(15);
    accept(one, 1);
    expect(accepted(seen(10, one))).toBe(16);
    const again = new TestNode('one', EPOCH + 11_000); // it has begun anew
    accept(again, 3);
    expect(accepted(seen(15, again))).toBe(19);
    expect(accepted(seen(2000))).toBe(19);
    const later = new ClusterTracker(settings, EPOCH, tracker.record);
    expect(accepted(later.update([], 0))).toBe(19);
  });

  it('counts nothing twice of a node that was away until it was forgotten', () => {
    accept(one, 10);
    seen(5, one);
    expect(statuses(seen(700))).toEqual([]);
    accept(one, 1);
    seen(705, one);
    accept(one, 2);
    expect(accepted(seen(710, one))).toBe(12);
  });

  it('counts nothing twice of such a node where the agent began anew in between, either', () => {
    accept(one, 10);
    seen(5, one);
    expect(statuses(seen(700))).toEqual([]);
    const record = JSON.parse(JSON.stringify(tracker.record)) as TrackerRecord;
    const later = new ClusterTracker(settings, EPOCH + 700_000, record);
    expect(accepted(later.update([one.report(EPOCH + 705_000)], 5000))).toBe(10);
    accept(one, 2);
    expect(accepted(later.update([one.report(EPOCH + 710_000)], 10_000))).toBe(12);
  });

  it('counts nothing twice of what nodes that were forgotten have told last, which is there for longer, however many', () => {
    const gone = Array.from({ length: 300 }, (_, pod) => new TestNode(`pod-${pod}`, EPOCH));
    for (const node of gone) accept(node, 5);
    const reports = gone.map((node) => node.report(EPOCH + 1000));
    const shown = [1, 700, 702, 704].map((seconds) => tracker.update(reports, seconds * 1000));
    expect(shown.map(accepted)).toEqual([1500, 1500, 1500, 1500]);
    expect(shown.map(({ nodes }) => nodes.length)).toEqual([300, 0, 0, 0]);
    const record = JSON.parse(JSON.stringify(tracker.record)) as TrackerRecord;
    const later = new ClusterTracker(settings, EPOCH + 705_000, record);
    const after = [1, 700].map((seconds) => later.update(reports, seconds * 1000));
    expect(after.map(accepted)).toEqual([1500, 1500]);
    accept(one, 1);
    expect(accepted(later.update([...reports, one.report(EPOCH + 1_406_000)], 701_000))).toBe(1501);
    expect(later.record.indexes).toEqual([['one', 302]]);
    // what cannot be read any more is known for a while, and not for ever
    later.update([one.report(EPOCH + 1_407_000)], 702_000);
    expect(later.record.totals.forgotten).toHaveLength(256);
  });

  it('forgets what an agent before it knew and nobody tells of any more', () => {
    seen(5, one, two);
    const later = new ClusterTracker(settings, EPOCH, tracker.record);
    const update = (seconds: number) => later.update([two.report(EPOCH + seconds * 1000)], seconds * 1000);
    update(5);
    expect(later.record.indexes).toHaveLength(2);
    update(601);
    expect([later.record.indexes, later.record.totals.nodes.map(({ name }) => name)]).toEqual([[['two', 3]], ['two']]);
  });

  it('adds up what there is now of those that are heard', () => {
    one.registry.metrics.sessions.set(4);
    two.registry.metrics.sessions.set(2);
    const sessions = ({ cluster }: ClusterState) => seriesSum(cluster.metrics, catalogue.sessions);
    expect([sessions(seen(5, one, two)), sessions(seen(21, one))]).toEqual([6, 4]);
  });

  it('keeps no more series of what others are called than it has room for', () => {
    const { name } = catalogue.peerStanzas;
    let state = seen(1, one);
    for (let start = 0; start < 8; start++) {
      const node = new TestNode('one', EPOCH + start);
      const { peerStanzas } = node.registry.metrics;
      for (let peer = 0; peer < 400; peer++) peerStanzas.with({ peer: `${start}-${peer}`, direction: 'in' }).add(1);
      state = seen(5 + start, node);
    }
    const series = state.cluster.metrics.values[name] ?? {};
    expect(Object.keys(series).length).toBe(2001);
    expect(series['other,in']).toBe(1200);
  });

  it('adds up histograms', () => {
    const { deliveryDuration } = one.registry.metrics;
    deliveryDuration.record(0.001);
    seen(5, one);
    deliveryDuration.record(0.001);
    const { cluster } = seen(10, one, two);
    const series = cluster.metrics.values[catalogue.deliveryDuration.name]?.[''];
    expect(typeof series === 'object' && series.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  it('never lets a histogram fall, though a node of another version has other buckets', () => {
    const { name } = catalogue.deliveryDuration;
    const counted = ({ cluster }: ClusterState) => {
      const series = cluster.metrics.values[name]?.[''];
      return typeof series === 'object' ? series.counts.reduce((sum, count) => sum + count, 0) : undefined;
    };
    one.registry.metrics.deliveryDuration.record(0.001);
    one.registry.metrics.deliveryDuration.record(1000);
    expect(counted(seen(5, one))).toBe(2);
    const report = two.report(EPOCH + 6000);
    report.values[name] = { '': { bounds: [0.5], counts: [3, 4], sum: 50 } };
    expect(counted(tracker.update([report], 6000))).toBe(9);
    expect(counted(seen(10, one))).toBe(9);
  });

  it('knows when somebody was there last', () => {
    seen(5, one);
    one.registry.metrics.streams.with({ kind: 'c2s', state: 'bound' }).set(1);
    expect(seen(10, one).nodes[0]).toMatchObject({ inboundAt: 10_000, outboundAt: 0 });
    one.registry.metrics.streams.with({ kind: 'c2s', state: 'bound' }).set(0);
    expect(seen(15, one).nodes[0]?.inboundAt).toBe(10_000);
  });

  it('gives each association a number of its own, for as long as it is there', () => {
    const client = (since: number) => ({ kind: 'client', remote: '192.0.2.1', port: 5222, since }) as const;
    const numbers = (state: ClusterState) => state.nodes[0]?.associations.map(({ index }) => index);
    one.associations = [client(EPOCH + 1), client(EPOCH + 1), client(EPOCH + 2)];
    expect(numbers(seen(5, one))).toEqual([1, 2, 3]);
    one.associations = [client(EPOCH + 2), client(EPOCH + 1), client(EPOCH + 9)];
    expect(numbers(seen(10, one))?.slice(0, 1)).toEqual([3]);
    expect(numbers(seen(15, one))?.at(2)).toBe(4);
    expect(numbers(seen(40))).toEqual([]);
  });
});
