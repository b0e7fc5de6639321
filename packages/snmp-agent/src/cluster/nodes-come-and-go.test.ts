import { catalogue } from '@parley/metrics/catalogue';
import type { NodeReport } from '@parley/metrics/node-report';
import { seriesSum } from '@parley/metrics/series-sum';
import type { Series } from '@parley/metrics/snapshot';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Watch } from '../notifications/watch.ts';
import { TestNode } from '../testing-reports.ts';
import type { ClusterState } from './cluster-state.ts';
import { ClusterTracker, type TrackerRecord } from './cluster-tracker.ts';

const EPOCH = 1_000_000;
const settings = { name: 'all', downAfterMs: 15_000, restartMs: 60_000, forgetMs: 120_000 };
const thresholds = { loginFailuresPerMinute: 10, certificateDays: 14, waitingStanzas: 100 };
/** Longest, until somebody who is not heard has no row any more. */
const FORGOTTEN_MS = settings.downAfterMs + settings.forgetMs;

type Step =
  | {
      readonly does: 'start' | 'stop' | 'kill' | 'mute' | 'unmute' | 'count';
      readonly which: number;
      readonly by: number;
    }
  | { readonly does: 'wait'; readonly seconds: number }
  | { readonly does: 'deaf' | 'agent restarts' };

const which = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    does: fc.constantFrom('start', 'stop', 'kill', 'mute', 'unmute', 'count'),
    which,
    by: fc.integer({ min: 1, max: 200 }),
  }),
  fc.record({ does: fc.constant('wait'), seconds: fc.constantFrom(5, 20, 90, 200) }),
  fc.record({ does: fc.constantFrom('deaf', 'agent restarts') }),
);

/** A cluster and whoever watches it. Nodes have six names at a time, and now and then a new one, as pods have. */
class World {
  now = 0;
  readonly nodes = new Map<string, { node: TestNode; muted: boolean }>();
  tracker = new ClusterTracker(settings, EPOCH);
  watch = new Watch(thresholds);
  /** Connections that there really were. */
  accepted = 0;
  #agentStarted = 0;
  #pods = 0;

  do(step: Step): ClusterState {
    switch (step.does) {
      case 'wait':
        this.now += step.seconds * 1000;
        break;
      case 'agent restarts': {
        const record = JSON.parse(JSON.stringify(this.tracker.record)) as TrackerRecord;
        this.#agentStarted = this.now;
        this.tracker = new ClusterTracker(settings, EPOCH + this.now, record);
        this.watch = new Watch(thresholds);
        break;
      }
      case 'deaf':
        return this.look(undefined);
      default:
        this.#act(step.does, step.which, step.by);
    }
    this.now += 1000;
    return this.look([...this.nodes.values()].filter(({ muted }) => !muted).map(({ node }) => this.#report(node)));
  }

  look(reports: readonly NodeReport[] | undefined): ClusterState {
    const state = this.tracker.update(reports, this.now - this.#agentStarted);
    this.watch.look(state);
    return state;
  }

  #report(node: TestNode): NodeReport {
    return node.report(EPOCH + this.now);
  }

  #act(does: string, which: number, by: number): void {
    const name = which === 5 ? `pod-${does === 'start' ? ++this.#pods : this.#pods}` : `node-${which}`;
    const there = this.nodes.get(name);
    if (does === 'start') {
      const node = new TestNode(name, EPOCH + this.now);
      this.nodes.set(name, { node, muted: false });
      node.registry.metrics.providersAway.with({ provider: name }).set(1);
      return;
    }
    if (there === undefined) return;
    const { metrics } = there.node.registry;
    if (does === 'kill') this.nodes.delete(name);
    else if (does === 'stop') there.node.state = 'quiescing';
    else if (does === 'count') {
      this.accepted += by;
      metrics.connectionsAccepted.with({ transport: 'tcp' }).add(by);
      metrics.deliveryDuration.record(by / 100);
      metrics.logins.with({ mechanism: 'PLAIN', outcome: 'not-authorized' }).add(by);
      metrics.journalUnaccounted.with({ kind: 'missing' }).add(by);
      metrics.federationWaiting.set(by);
    } else there.muted = does === 'mute';
  }
}

/** Every number that counts, of all nodes together. */
function* totals({ cluster: { metrics } }: ClusterState): Generator<[string, number], void, undefined> {
  for (const definition of Object.values(catalogue)) {
    if (definition.kind === 'gauge') continue;
    for (const [key, series] of Object.entries<Series>(metrics.values[definition.name] ?? {})) {
      const name = `${definition.name} ${key}`;
      if (typeof series === 'number') yield [name, series];
      else {
        yield [`${name} sum`, series.sum];
        for (const [bucket, count] of series.counts.entries()) yield [`${name} ${bucket}`, count];
      }
    }
  }
}

it('whatever nodes do, totals never fall nor tell more than there was, and who is gone is not remembered for ever', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const world = new World();
      let before = new Map<string, number>();
      for (const each of steps) {
        const state = world.do(each);
        const now = new Map(totals(state));
        for (const [name, value] of before) expect(now.get(name) ?? 0, name).toBeGreaterThanOrEqual(value - 1e-9);
        before = now;
        const accepted = seriesSum(state.cluster.metrics, catalogue.connectionsAccepted);
        expect(accepted).toBeLessThanOrEqual(world.accepted);
        expect(world.watch.remembered).toBeLessThanOrEqual(1 + 2 * state.nodes.length + NAMES);
      }
      // nobody is there any more, for longer than anybody is remembered
      world.nodes.clear();
      world.do({ does: 'wait', seconds: FORGOTTEN_MS / 1000 + 10 });
      const last = world.do({ does: 'wait', seconds: FORGOTTEN_MS / 1000 + 10 });
      const { indexes, totals: kept } = world.tracker.record;
      expect([last.nodes, indexes, kept.nodes]).toEqual([[], [], []]);
      expect(new Map(totals(last))).toEqual(before);
      // the cluster, and what the last that were heard had in common
      expect(world.watch.remembered).toBeLessThanOrEqual(1 + NAMES);
      const alone = new TestNode('alone', EPOCH + world.now);
      world.nodes.set('alone', { node: alone, muted: false });
      world.do({ does: 'wait', seconds: 5 });
      expect(world.watch.remembered).toBe(2);
    }),
    { numRuns: 150 },
  );
});

/** Identity providers that nodes of these steps know of at the same time, at most. */
const NAMES = 80;

it('remembers as much of a thousand pods that crash as of a few', () => {
  const world = new World();
  const most = { nodes: 0, remembered: 0, record: 0 };
  for (let i = 0; i < 1000; i++) {
    world.nodes.clear();
    world.do({ does: 'start', which: 5, by: 1 });
    world.do({ does: 'count', which: 5, by: 1 });
    world.do({ does: 'wait', seconds: 3 });
    if (i % 10 !== 0) continue;
    most.nodes = Math.max(most.nodes, world.tracker.record.indexes.length);
    most.remembered = Math.max(most.remembered, world.watch.remembered);
    most.record = Math.max(most.record, JSON.stringify(world.tracker.record).length);
  }
  const rows = FORGOTTEN_MS / 6000 + 2;
  const heard = settings.downAfterMs / 6000 + 1;
  expect(most.nodes).toBeLessThanOrEqual(rows);
  expect(most.remembered).toBeLessThanOrEqual(1 + rows + heard);
  expect(most.record).toBeLessThan(200_000);
  const { metrics } = world.look([]).cluster;
  expect(seriesSum(metrics, catalogue.connectionsAccepted)).toBe(1000);
});
