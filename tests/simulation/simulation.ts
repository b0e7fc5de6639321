import { partition as partitionOf } from '@parley/keyspace/key';
import { sweepJournals, sweepOf } from '@parley/server/session/resumption/journal-sweep';
import { simulateEnvironment } from './environment.ts';
import { act, heal } from './faults.ts';
import { leftovers } from './leftovers.ts';
import { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { settingOf } from './setting.ts';
import { Stage } from './stage.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  /** What must not have been; empty: all is well. */
  readonly violations: readonly string[];
  /** Messages that were acknowledged to their senders. */
  readonly acknowledged: number;
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>;
  /** The same for two runs that were the same. */
  readonly digest: string;
}

export interface RunOptions {
  /** Idle timers that each process has besides, so that everything happens in another order. */
  readonly shift?: number;
  readonly trace?: (line: string) => void;
}

/** Milliseconds that the world may take to come to rest. */
const PATIENCE = 300_000;
/** Milliseconds for which nothing may be under way until it counts as at rest. */
const REST = 20_000;
/** The same, longer than sessions wait for their clients. */
const REST_OF_SESSIONS = 70_000;
const CALM_STEP = 1000;
const BUSY_STEP = 100;

/** One run: things happen and go wrong as the seed has it, then the faults end, and all must come out right. */
export async function simulate(
  seed: number,
  scenario: Scenario,
  { shift = 0, trace }: RunOptions = {},
): Promise<Outcome> {
  const setting = await settingOf();
  const random = new Random(seed);
  const world = new World(random, scenario, { ...setting, shift }, trace);
  const restore = simulateEnvironment(world.clock, random);
  try {
    await world.begin();
    if (scenario.plot === undefined) await disturb(world);
    else await scenario.plot(new Stage(world));
    if (world.ledger.violations.length === 0) await conclude(world);
  } finally {
    restore();
    await world.store.keyspace.close();
  }
  const { ledger, counts, digest } = world;
  return { seed, violations: ledger.violations, acknowledged: ledger.acknowledged, counts, digest };
}

/** How many events there are at most between two actions: while a node starts, it looks at all partitions. */
const PACES = [2, 10, 40];
const STARTING = 400;

async function disturb(world: World): Promise<void> {
  const { random, scenario, ledger } = world;
  for (let action = 0; action < scenario.actions && ledger.violations.length === 0; action++) {
    await act(world);
    account(world);
    // sometimes much gets done before the next thing happens, sometimes nothing
    const most = world.serving.length === 0 ? STARTING : random.pick(PACES);
    for (let left = random.below(most); left > 0 && (await world.happen()); left--);
    world.pass(random.below(20));
  }
}

/** All that was acknowledged must have come when everything has come to rest. */
async function conclude(world: World): Promise<void> {
  const { ledger } = world;
  await comeToRest(world, REST);
  if (ledger.violations.length > 0) return;
  ledger.audit();
  // What no node knows of (a record that was written after all) is found by the next one, and waits its time.
  for (const [place, member] of world.members.entries()) {
    member.kill();
    world.start(place);
  }
  for (const device of world.devices) device.setAvailable(false);
  await comeToRest(world, REST_OF_SESSIONS);
  ledger.audit();
  for (const left of leftovers(world)) ledger.violate(`LEFT ${left}`);
}

/** The alarm for lost messages must never have a reason. */
function account({ store, devices, ledger }: World): void {
  for (const partition of new Set(devices.map(({ account: bare }) => partitionOf(bare)))) {
    const { keys, args } = sweepOf(partition, false);
    const swept = store.look(sweepJournals, keys, args);
    if (swept.missing !== 0) ledger.violate(`UNACCOUNTED in ${partition} ${JSON.stringify(swept)}`);
  }
}

async function comeToRest(world: World, rest: number): Promise<void> {
  const { ledger } = world;
  const end = world.clock.now + PATIENCE;
  for (let calm = 0; calm < rest && ledger.violations.length === 0; ) {
    heal(world);
    while (await world.happen());
    account(world);
    const unrest = unrestIn(world);
    calm = unrest.length === 0 ? calm + CALM_STEP : 0;
    if (world.clock.now > end) ledger.violate(`STUCK ${unrest.join(', ')}`);
    world.pass(unrest.length === 0 ? CALM_STEP : BUSY_STEP);
  }
}

function unrestIn(world: World): string[] {
  const nodes = world.members.filter(({ state, links }) => state !== 'serving' || !links.idle);
  return [
    ...nodes.map(({ name, state }) => `${name} is ${state}`),
    ...world.devices
      .filter((device) => !device.atRest && !world.away.has(device))
      .map(({ jid, state }) => `${jid} is ${state}`),
    ...world.ledger.missing.map(({ id }) => `${id} is missing`),
  ];
}
