import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Node } from '@parley/server/node';

/** It only keeps a test from waiting for ever. */
const PATIENCE_MS = 60_000;

/**
 * Resolves when all that was begun on these nodes is done: what one of them has sent to another was dealt with there,
 * and so was whatever came of that. Rejects where there is no end to it.
 */
export async function quiet(nodes: readonly Node[]): Promise<void> {
  const end = new AbortController();
  const late = async () => {
    await pause(PATIENCE_MS, undefined, { signal: end.signal });
    throw new Error(`The nodes do not come to rest. Under way on each: ${nodes.map(underWay).join(', ')}`);
  };
  try {
    await Promise.race([rest(nodes, end.signal), late()]);
  } finally {
    end.abort();
  }
}

async function rest(nodes: readonly Node[], end: AbortSignal): Promise<void> {
  let before = '';
  // what is on its way unseen gets to another node in each round: it cannot be so through as many as there are nodes
  for (let still = 0; still < nodes.length && !end.aborted; ) {
    await Promise.all(nodes.map(idle));
    await nextTurn(); // in which more may begin
    const now = nodes.map(done).join();
    still = now === before && nodes.every((node) => underWay(node) === 0) ? still + 1 : 0;
    before = now;
  }
}

const underWay = ({ hooks }: Node): number => hooks.pending.count;

async function idle(node: Node & { readonly cluster?: { quiet(): Promise<void> } | undefined }): Promise<void> {
  await node.hooks.pending.idle();
  await node.cluster?.quiet();
}

/** What a node has done until now, in numbers that only grow. */
function done({ registry }: Node): number[] {
  const { io, stanzas } = registry.metrics;
  return [io, stanzas].flatMap((family) => [...family.entries()].map(([, { value }]) => value));
}
