import type { Command } from 'commander';
import { NodeClient } from './node-client.ts';

/** The node that runs by the command's configuration. Throws Unreachable where none does. */
export async function runningNode(command: Command): Promise<NodeClient> {
  const { nodeSocket } = await import('./configuration.ts'); // all modules: not for a mere --help
  return NodeClient.require(nodeSocket(command));
}
