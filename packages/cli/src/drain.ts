import { setTimeout as pause } from 'node:timers/promises';
import type { NodeStatus } from '@parley/server/admin/node-status';
import { Command } from 'commander';
import { counted } from './counted.ts';
import { EXIT, Usage } from './exit.ts';
import type { NodeClient } from './node-client.ts';
import { runningNode } from './running-node.ts';

const LOOK_MS = 500;

/** `parley drain`: has the sessions of the running node go to the others. */
export function drainCommand(): Command {
  return new Command('drain')
    .description('Have the sessions of the running node go to the other nodes. It takes in nobody new, and runs on.')
    .option('--wait', 'until no session is left')
    .option('--cancel', 'take clients in again; what has gone stays where it is')
    .action(async function (this: Command) {
      const { wait, cancel } = this.opts<{ wait?: boolean; cancel?: boolean }>();
      if (wait && cancel) throw new Usage('--wait and --cancel do not go together.');
      const node = await runningNode(this);
      if (cancel) {
        const { sessions } = await node.cancelDrain();
        say(`The node takes clients in again. It has ${counted(sessions, 'session')}.`);
        return;
      }
      const status = await node.drain();
      say(progress(status));
      if (wait && !(await untilDrained(node, status))) process.exitCode = EXIT.failed;
    });
}

/** False where somebody cancelled it meanwhile. */
async function untilDrained(node: NodeClient, begun: NodeStatus): Promise<boolean> {
  for (let before = begun; before.drain === 'running'; ) {
    await pause(LOOK_MS);
    const now = await node.status();
    if (now.drain !== before.drain || now.sessions !== before.sessions) say(progress(now));
    if (now.drain === 'off') return false;
    before = now;
  }
  return true;
}

function progress({ drain, sessions }: NodeStatus): string {
  if (drain === 'off') return 'It was cancelled: the node takes clients in again.';
  return drain === 'done' && sessions === 0 ? 'No session is left.' : `${counted(sessions, 'session')} left.`;
}

const say = (text: string) => process.stdout.write(`${text}\n`);
