import type { Link } from './link.ts';
import type { Node } from './node.ts';
import type { OwnedSession } from './owned-session.ts';
import type { Schedule } from './schedule.ts';

/** What a node may do next. */
export function offerNode(schedule: Schedule, node: Node): void {
  const { world } = node;
  for (const link of node.links) {
    const pace = world.healing ? 5 : world.scenario.pace;
    if (link.hasReplies) schedule.offer(pace, takeReply, node, link);
    if (link.hasPushes) schedule.offer(pace, takePush, node, link);
  }
  for (const session of node.sessions.values()) offerSession(schedule, session);
  schedule.offer(world.healing ? 0.5 : 0.3, sweep, node);
  if (world.scenario.changes && !world.healing) schedule.offer(0.1, notify, node);
}

function offerSession(schedule: Schedule, session: OwnedSession): void {
  const { world } = session.node;
  if (session.resyncing) return;
  schedule.offer(1, checkpoint, session);
  if (!session.gate && !session.silent && session.counted > 0) schedule.offer(2, flush, session);
  if (session.ackWanted && session.acknowledgeable > session.acknowledged) schedule.offer(2, acknowledge, session);
  const { connection } = session;
  const gone = !connection.clientOpen && connection.up.length === 0;
  const free = !session.checkpointing && session.operations.idle && session.shard.settling.over;
  if (gone && free) schedule.offer(0.3, handOver, session);
  if (world.healing) return;
  if (world.random.chance(0.3)) schedule.offer(0.7, sendCounted, session);
  const mayBeFast = session.fast === undefined && session.wanted === undefined && session.counted === 0;
  if (world.scenario.fastMode && mayBeFast) schedule.offer(0.4, beFast, session);
}

const takeReply = (node: Node, link: Link) => node.take(link.shard, link.nextReply());
const takePush = (node: Node, link: Link) => node.take(link.shard, link.nextPush());
const checkpoint = (session: OwnedSession) => session.checkpoint();
const flush = (session: OwnedSession) => session.flush();
const acknowledge = (session: OwnedSession) => session.acknowledge();
const handOver = (session: OwnedSession) => session.node.handOver(session);
const sweep = (node: Node) => node.sweep(node.world.random.pick(node.world.scenario.accounts).name);
const notify = (node: Node) => node.notify(node.world.random.pick(node.world.scenario.accounts).name);

function sendCounted(session: OwnedSession): void {
  session.counted++;
  if (!session.gate) session.flush();
}

function beFast(session: OwnedSession): void {
  session.wanted = 'fast';
}
