import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { Failed, Unreachable, Usage } from './exit.ts';

/** Between looks at a node that does not answer yet. */
const AGAIN_MS = 200;
const LONGEST_SECONDS = 3600;

/** `parley health`: whether the running node is well, by the exit code, for whoever watches over its process. */
export function healthCommand(): Command {
  return new Command('health')
    .description('Tell by the exit code whether the running node answers. It needs no port: it asks on the socket.')
    .option('--ready', 'whether it takes new clients, too: not while it stops, or its keyspace is away')
    .option('--wait <seconds>', 'so long at most, until it is', seconds, 0)
    .action(async function (this: Command) {
      const { nodeSocket } = await import('./configuration.ts'); // all modules: not for a mere --help
      const { NodeClient } = await import('./node-client.ts');
      const { ready = false, wait } = this.opts<{ ready?: boolean; wait: number }>();
      const end = performance.now() + wait * 1000;
      let socket: string;
      try {
        socket = nodeSocket(this);
      } catch (mistakes) {
        // The node finds them, too. Its exit code counts for systemd, unless this one's comes first.
        while (performance.now() < end && startingNode() === 'runs') await pause(AGAIN_MS);
        throw mistakes;
      }
      for (;;) {
        const reasons = await (await NodeClient.connect(socket))?.trouble(ready);
        if (reasons?.length === 0) break;
        if (performance.now() + AGAIN_MS > end || startingNode() === 'ended') {
          if (reasons === undefined) throw new Unreachable(`No node runs here: nobody listens on ${socket}.`);
          throw new Failed(reasons.join('\n'));
        }
        await pause(AGAIN_MS);
      }
      process.stdout.write(ready ? 'ready\n' : 'live\n');
    });
}

/** The process that systemd starts, where it says which one that is: to whatever comes after it (ExecStartPost=). */
function startingNode(): 'runs' | 'ended' | undefined {
  const pid = Number(process.env.MAINPID);
  if (!(pid > 0)) return undefined;
  try {
    process.kill(pid, 0);
    return 'runs';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'ended' : 'runs';
  }
}

function seconds(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= LONGEST_SECONDS) return Number(text);
  throw new Usage(`--wait takes whole seconds, up to ${LONGEST_SECONDS}.`);
}
