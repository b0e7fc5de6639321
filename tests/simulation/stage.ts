import { accountKey } from '@parley/keyspace/key';
import type { Device } from './device.ts';
import type { SimulatedLink } from './link.ts';
import type { Member } from './member.ts';
import { shardOf } from './shards.ts';
import type { World } from './world.ts';

/** What happens in a run instead of whatever may: the seed decides how much happens between the steps, and what comes first. */
export type Plot = (stage: Stage) => Promise<void>;

/** Milliseconds after which whoever waits for nothing but the time may do something, and how much may happen meanwhile. */
const SLICE = 100;
const MOST = 400;

/** Milliseconds that a step may take which must come about. */
const PATIENCE = 60_000;

/** What a plot does with a world. */
export class Stage {
  readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** By its place in the scenario. */
  device(place: number): Device {
    return this.world.devices[place] as Device;
  }

  node(place: number): Member {
    return this.world.members[place] as Member;
  }

  /** Up to so many things happen that are under way. */
  async some(most: number): Promise<void> {
    for (let left = this.world.random.below(most + 1); left > 0 && (await this.world.happen()); left--);
  }

  /** Time goes by, in which what is under way goes on. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= SLICE) {
      this.world.pass(Math.min(left, SLICE));
      for (let most = MOST; most > 0 && (await this.world.happen()); most--);
    }
  }

  /** The same, until something is so, and nodes find the store again meanwhile. False where it does not come about. */
  async until(holds: () => boolean, milliseconds = PATIENCE): Promise<boolean> {
    for (let left = milliseconds; left > 0; left -= SLICE) {
      for (let most = MOST; most > 0; most--) {
        if (holds()) return true;
        if (!(await this.world.happen())) break;
      }
      this.reconnect();
      this.world.pass(SLICE);
    }
    return holds();
  }

  /** Nodes that have lost a shard find it again. */
  reconnect(): void {
    for (const { links } of this.world.members) for (const link of links.all) if (link.connectable) link.connect();
  }

  /** Nodes that are dead are started again, and all of them serve. */
  async allServe(): Promise<void> {
    for (const [place, { state }] of this.world.members.entries()) if (state === 'dead') this.world.start(place);
    await this.until(() => this.world.members.every(({ state }) => state === 'serving'));
  }

  /** A node is killed, and its clients notice. */
  async kill(place: number): Promise<void> {
    const node = this.node(place);
    const clients = this.world.devices.filter(({ connection }) => connection?.process === node);
    node.kill();
    await this.until(() => clients.every(({ state }) => state === 'offline'));
  }

  /** The device has a connection to this node, and its session there. */
  async arrive(device: Device, place: number): Promise<void> {
    if (device.state === 'offline') this.world.connect(device, this.node(place));
    await this.until(() => device.state === 'online');
    await this.acknowledged(device);
  }

  /** The device knows that all that it said is dealt with, and says that it has got what came. */
  async acknowledged(device: Device): Promise<boolean> {
    device.request();
    return this.until(() => {
      if (device.asked) device.acknowledge();
      return device.atRest;
    });
  }

  /** A node's link to what the store has of an account. */
  linkTo(place: number, { account }: Device): SimulatedLink {
    const { links } = this.node(place);
    return links.all[shardOf(accountKey('session', account), links.all.length)] as SimulatedLink;
  }

  /** What the device said has arrived at its node. */
  async said(device: Device): Promise<void> {
    await this.until(() => device.connection?.hasForNode !== true, 1000);
  }

  /** Its connection is gone before anything comes over it. */
  drop(device: Device): void {
    device.connection?.cut(this.world.random);
  }

  /** Time goes by, and nodes find the store again. */
  async rest(milliseconds: number): Promise<void> {
    await this.until(() => false, milliseconds);
  }
}
