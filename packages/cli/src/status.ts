import type { NodeStatus } from '@parley/server/admin/node-status';
import { Command } from 'commander';
import { counted } from './counted.ts';
import { runningNode } from './running-node.ts';

/** `parley status`: how the running node is. */
export function statusCommand(): Command {
  return new Command('status')
    .description('Show how the running node is.')
    .option('--json', 'as JSON')
    .action(async function (this: Command) {
      const node = await runningNode(this);
      const status = await node.status();
      if (this.opts<{ json?: boolean }>().json) {
        process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
        return;
      }
      const rows: [string, string][] = [
        ['Parley', status.version],
        ['Process', `${status.pid}, running for ${duration(status.uptimeSeconds)}`],
        ['Domains', status.domains.join(', ')],
        ['Listening', status.listeners.map(({ name, port }) => `${name} ${port}`).join(', ')],
        ['Sessions', `${status.sessions}, of ${counted(status.accountsOnline, 'account')} online`],
        ...status.cluster.map((member, index): [string, string] => [index === 0 ? 'Nodes' : '', described(member)]),
        ['Keyspace', `${status.keyspace.kind}, ${status.keyspace.state}`],
        ['Ready', status.notReady.length === 0 ? 'yes' : `no: ${status.notReady.join('; ')}`],
        ...(status.drain === 'off' ? [] : [['Drain', DRAIN[status.drain]] as [string, string]]),
        ['Memory', `${Math.round(status.memoryBytes / 1_048_576)} MiB`],
      ];
      const width = Math.max(...rows.map(([name]) => name.length));
      for (const [name, value] of rows) process.stdout.write(`${name.padEnd(width)}  ${value}\n`);
    });
}

const DRAIN = { running: 'sessions go to other nodes', done: 'no session is left' } as const;

/** One node of the cluster, in a line. */
function described({ id, name, version, since, here, sessions }: NodeStatus['cluster'][number]): string {
  return `${name}${here ? ' (this one)' : ''}, ${id}, Parley ${version}, since ${since}, ${counted(sessions, 'session')}`;
}

function duration(seconds: number): string {
  const parts: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  let rest = Math.round(seconds);
  const words: string[] = [];
  for (const [size, unit] of parts) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count} ${unit}`);
  }
  return words.slice(0, 2).join(' ') || '0 s';
}
