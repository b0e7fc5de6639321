import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { Accounting } from './accounting.ts';
import { Cluster } from './cluster.ts';
import { Crowd } from './crowd.ts';
import { FaultSchedule } from './fault-schedule.ts';
import { type Breakable, type FaultKind, failover, heavyFaults, lightFaults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { tell } from './report.ts';
import { ResumeTimes } from './resume-times.ts';
import type { ChaosSettings } from './settings.ts';
import { Timeline } from './timeline.ts';
import { WATCHER, Watch } from './watch.ts';

/**
 * Nodes under whose clients everything breaks, again and again. What they said is held against what was acknowledged and
 * heard; fails where that is not the same.
 */
export async function chaos(settings: ChaosSettings): Promise<void> {
  const timeline = new Timeline();
  const ledger = new Ledger(timeline);
  const times = new ResumeTimes();
  const names = Array.from({ length: settings.clients }, (_, index) => `user${index}@localhost`);
  const cluster = await Cluster.start({ ...settings, timeline }, [...names, WATCHER]);
  const crowd = new Crowd({
    entrances: cluster,
    names,
    timeline,
    ledger,
    times,
    seed: settings.seed,
    rate: settings.rate,
  });
  await crowd.start();
  const watch = new Watch(cluster, crowd, new Random(settings.seed + 3), timeline);
  await watch.start();
  timeline.note(`${settings.clients} clients are there`);
  const accounting = new Accounting(cluster, timeline);

  const total = settings.seconds * 1000;
  const end = performance.now() + total;
  const breakable = (seed: number): Breakable => ({ cluster, crowd, timeline, total, random: new Random(seed) });
  const all = settings.failover ? [...heavyFaults, failover] : heavyFaults;
  // what replicas have, too, is lost with no primary: nodes may die at once
  const kinds = settings.replicas > 0 ? all.map((kind) => ({ ...kind, settle: 0 })) : all;
  const broken = Promise.all([
    crowd.talk(() => performance.now() < end),
    breakThings(kinds, breakable(settings.seed), end, 3000),
    breakThings(lightFaults, breakable(settings.seed + 2), end, 2000),
  ]);
  await broken.catch((error) => {
    timeline.note(`WRONG ${error}`);
    process.stdout.write(`${tell({ timeline, cluster, ledger, figures: ledger.figures() })}\n`);
    throw error;
  });
  timeline.note('nothing breaks any more');

  const settled = await crowd.settled();
  timeline.note(settled ? 'everything has arrived' : 'WRONG nothing moves any more, and something is missing');
  const unseen = await counted(timeline, watch.unseen());
  const unaccounted = await counted(timeline, accounting.end());
  const ended = await crowd.close();
  if (!ended) timeline.note('WRONG some sessions do not end in order');
  const ghosts = (await counted(timeline, watch.ghosts())) + (await counted(timeline, cluster.ghosts()));
  const { nodes, keyspace, clients, seconds, seed, replicas } = settings;
  const figures = {
    ...{ seed, seconds, nodes, keyspace, replicas, clients },
    ...ledger.figures(),
    ghosts,
    unseen,
    unaccounted,
    accounted: accounting.entered,
    flaps: watch.flaps,
    resumesFailed: times.failed,
    faults: timeline.counts(),
    resumed: times.figures(),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  const problems = ledger.problems();
  const { said, acknowledged, resumesFailed, flaps } = figures;
  const found = { problems: problems.length, ended, said, ghosts, unseen, flaps, resumesFailed, unaccounted };
  const good = {
    problems: 0,
    ended: true,
    said: acknowledged,
    ghosts: 0,
    unseen: 0,
    flaps: 0,
    resumesFailed: 0,
    unaccounted: 0,
  };
  if (settings.keep || !isDeepStrictEqual(found, good)) {
    process.stdout.write(`${tell({ timeline, cluster, ledger, figures })}\n`);
  }
  expect(found, JSON.stringify(ledger.figures())).toEqual(good);
}

/** What it finds; no number where it fails, so that everything else can still be told. */
function counted(timeline: Timeline, work: Promise<number>): Promise<number> {
  return work.catch((error) => {
    timeline.note(`WRONG ${error}`);
    return Number.NaN;
  });
}

/** One fault after the other, until the time is over. */
async function breakThings(
  kinds: readonly FaultKind[],
  breakable: Breakable,
  end: number,
  longestPause: number,
): Promise<void> {
  const { cluster, random, total } = breakable;
  const left = () => Math.max(0, end - performance.now());
  const possible = kinds.filter(({ needsRedis }) => !needsRedis || cluster.redis !== undefined);
  const schedule = new FaultSchedule(possible, random);
  for (;;) {
    await pause(Math.min(random.between(100, Math.min(longestPause, total / 15)), left()));
    if (left() === 0) return;
    const kind = schedule.next(performance.now());
    if (kind === undefined) continue;
    await kind.run(breakable);
    schedule.over(kind, performance.now());
  }
}
