import { Command } from 'commander';
import { runningNode } from './running-node.ts';

/** `parley reload`: has the running node take over what changed in its configuration. */
export function reloadCommand(): Command {
  return new Command('reload')
    .description('Have the running node read its configuration and certificates again. A bad file is refused whole.')
    .action(async function (this: Command) {
      const node = await runningNode(this);
      const { live, restart } = await node.reload();
      const say = (text: string) => process.stdout.write(`${text}\n`);
      if (live.length === 0 && restart.length === 0) say('Nothing changed; certificates were read again.');
      if (live.length > 0) say(`In force now: ${live.join(', ')}`);
      if (restart.length > 0) say(`In force after a restart: ${restart.join(', ')}`);
    });
}
