import type { Node } from './node.ts';
import type { Schedule } from './schedule.ts';
import type { Shard } from './shard.ts';
import type { World } from './world.ts';

/** Nothing else goes wrong for this many events after a failover. */
const SETTLE_WINDOW = 120;

/** What goes wrong, and how it is put right. */
export class Faults {
  readonly #world: World;
  #calmUntil = 0;

  constructor(world: World) {
    this.#world = world;
  }

  offer(schedule: Schedule): void {
    const { healing, scenario, shards, now } = this.#world;
    for (const link of this.#world.links) {
      if (!link.hasCommands) continue;
      // What a lost link had written is executed late, or never.
      schedule.offer(link.open ? 5 : 0.6, execute, link);
      if (!link.open) schedule.offer(0.2, forget, link);
    }
    const settled = shards.every(({ settling }) => settling.over) && now >= this.#calmUntil;
    for (const node of this.#world.nodes) {
      if (!node.alive) schedule.offer(healing ? 5 : 0.5, restart, this.#world, node);
      else if (node.paused) schedule.offer(healing ? 5 : 0.4, unpause, node);
      else if (!healing && settled) {
        schedule.offer(0.12, kill, this.#world, node);
        schedule.offer(0.1, pause, node);
        for (const shard of shards) schedule.offer(0.15 / shards.length, loseLink, node, shard);
      }
    }
    if (scenario.failover === 0 || healing || !settled) return;
    for (const shard of shards) schedule.offer(scenario.failover / shards.length, failOver, this, shard);
  }

  failOver(shard: Shard): void {
    if (!shard.failOver()) return;
    this.#calmUntil = this.#world.now + SETTLE_WINDOW;
    this.#world.trace?.('a shard fails over');
    shard.settling.begin();
    for (const link of this.#world.links) {
      if (link.shard !== shard) continue;
      link.lose();
      link.forget();
    }
    for (const node of this.#world.liveNodes) node.failedOver(shard);
    this.#world.learn(shard);
    this.#world.wake(shard);
  }
}

const execute = (link: { execute(): void }) => link.execute();
const forget = (link: { forget(): void }) => link.forget();
const restart = (world: World, node: Node) => world.restart(node);
const failOver = (faults: Faults, shard: Shard) => faults.failOver(shard);

function unpause(node: Node): void {
  node.paused = false;
  node.world.trace?.(`${node.incarnation} goes on`);
}

function pause(node: Node): void {
  node.paused = true;
  node.world.trace?.(`${node.incarnation} is stopped`);
}

function kill(world: World, node: Node): void {
  world.trace?.(`${node.incarnation} is killed`);
  // A kill and a failover that loses what was done before it would be two faults at once.
  for (const shard of world.shards) shard.holdTail();
  node.kill();
}

function loseLink(node: Node, shard: Shard): void {
  node.world.trace?.(`${node.incarnation} loses its link to shard ${node.world.shards.indexOf(shard)}`);
  node.linkLost(shard);
}
