import type { World } from './world.ts';

type Action = readonly [weight: number, name: string, act: () => void | Promise<void>];

/** Milliseconds. */
const MOMENT = 300;
const SHORT = 3000;
const LONG = 90_000;

/** Milliseconds after which whoever waits for nothing but the time may do something. */
const SLICE = 500;
/** How much may happen meanwhile. */
const MOST = 100;

/** Time goes by, in which what is under way goes on. */
async function idle(world: World, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= SLICE) {
    world.pass(Math.min(left, SLICE));
    for (let most = MOST; most > 0 && (await world.happen()); most--);
  }
}

/** What clients and faults may do now, and how likely each is. */
function possible(world: World): Action[] {
  const { random, scenario, devices } = world;
  // whoever takes longer to find the new store counts as dead
  const apart = world.settling && world.members.some(({ running, links }) => running && !links.up);
  const actions: Action[] = [
    [1, 'time', () => idle(world, random.below(apart ? MOMENT : SHORT))],
    [scenario.sessionsEnd && !apart ? 0.3 : 0, 'long time', () => idle(world, random.below(LONG))],
    [scenario.failovers && !world.settling ? 0.4 : 0, 'failover', () => world.failOver()],
  ];
  for (const device of devices) {
    const { state, connection } = device;
    if (state !== 'offline') actions.push([0.6, 'cut', () => connection?.cut(random)]);
    else if (world.serving.length > 0) actions.push([6, 'connect', () => world.connect(device)]);
    if (device.asked) actions.push([6, 'acknowledge', () => device.acknowledge()]);
    if (device.session === undefined) continue;
    const others = devices.filter(({ account }) => account !== device.account);
    const say = () => {
      const { jid, account } = random.pick(others);
      device.say(random.chance(0.5) ? jid : account);
      if (random.chance(0.5)) device.request();
    };
    actions.push([8, 'say', say], [2, 'request', () => device.request()]);
    if (!scenario.sessionsEnd || state !== 'online') continue;
    actions.push([0.3, 'close', () => device.close()]);
    actions.push([0.7, 'presence', () => device.setAvailable(!device.available)]);
  }
  for (const [place, member] of world.members.entries()) {
    const { links } = member;
    const connectable = links.all.filter((link) => link.connectable);
    if (world.settling && member.state !== 'dead') {
      // soon, but not at once, and one before the other
      for (const link of connectable) actions.push([12, 'connect link', () => link.connect()]);
      continue;
    }
    if (member.state === 'dead') {
      actions.push([4, 'start', () => world.start(place)]);
      continue;
    }
    actions.push([0.25, 'kill', () => member.kill()]);
    if (member.state === 'serving' && !member.paused) actions.push([0.1, 'stop', () => member.stop()]);
    if (member.paused) actions.push([3, 'continue', () => member.pause(false)]);
    else actions.push([0.25, 'pause', () => member.pause(true)]);
    const up = links.all.filter((link) => link.up);
    if (up.length > 0) actions.push([0.25, 'lose link', () => random.pick(up).lose(random)]);
    for (const link of connectable) actions.push([4, 'connect link', () => link.connect()]);
  }
  return actions;
}

/** Something that a client does, or that goes wrong. */
export async function act(world: World): Promise<void> {
  const { weights = {} } = world.scenario;
  const actions = possible(world).map(
    ([weight, name, perform]) => [weight * (weights[name] ?? 1), name, perform] as const,
  );
  let left = world.random.next() * actions.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, name, perform] of actions) {
    left -= weight;
    if (left > 0) continue;
    world.note(name.toUpperCase());
    world.count(name);
    await perform();
    return;
  }
}

/** Puts right what is wrong, step by step, and has clients come back and acknowledge. */
export function heal(world: World): void {
  for (const [place, member] of world.members.entries()) {
    if (member.state === 'dead') world.start(place);
    member.pause(false);
    for (const link of member.links.all) if (link.connectable) link.connect();
  }
  for (const device of world.devices) {
    if (world.away.has(device)) continue;
    if (device.state === 'offline') world.connect(device);
    if (device.asked) device.acknowledge();
    if (device.state === 'online' && !device.available) device.setAvailable(true);
    if (device.session?.unacknowledged.length) device.request();
  }
}
