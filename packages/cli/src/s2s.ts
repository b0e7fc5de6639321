import type { FederationOfAll } from '@parley/server/admin/federation-everywhere';
import { printable } from '@parley/server/printable';
import { Command } from 'commander';
import { runningNode } from './running-node.ts';

const FROM = ['-f, --from <domain>', 'one of our domains, where it is not the first one'] as const;

/** `parley s2s …`: streams to other servers. */
export function s2sCommand(): Command {
  const s2s = new Command('s2s').description(
    'Other XMPP servers: the streams to and from them, and why there is none.',
  );
  s2s
    .command('list')
    .description('List the domains that stanzas go to or wait for, and those that have connected, on all nodes.')
    .option('--json', 'as JSON')
    .action(async function (this: Command) {
      const list = await (await runningNode(this)).federation.list();
      if (this.opts<{ json?: boolean }>().json) process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
      else {
        for (const each of list.outgoing) say(described(each));
        for (const each of list.incoming) say(describedIncoming(each));
      }
    });
  s2s
    .command('explain')
    .description(
      'Connect to a domain to try it out, and tell each step: policy, DNS, addresses, TLS, certificate, proof.',
    )
    .argument('<domain>', 'the domain of the other side')
    .option(...FROM)
    .action(async function (this: Command, domain: string) {
      const node = await runningNode(this);
      for await (const line of node.federation.explain(domain, this.opts<{ from?: string }>().from)) say(line);
    });
  s2s
    .command('connect')
    .description('Connect to a domain now, however long the next attempt would have to wait.')
    .argument('<domain>', 'the domain of the other side')
    .option(...FROM)
    .action(async function (this: Command, domain: string) {
      const node = await runningNode(this);
      await node.federation.connect(domain, this.opts<{ from?: string }>().from);
      say('Connected.');
    });
  s2s
    .command('close')
    .description(
      'Close the streams to and from a domain, on all nodes. The next stanza opens one again, unless the policy forbids it.',
    )
    .argument('<domain>', 'the domain of the other side')
    .action(async function (this: Command, domain: string) {
      const closed = await (await runningNode(this)).federation.close(domain);
      say(closed === 1 ? 'Closed one stream.' : `Closed ${closed} streams.`);
    });
  return s2s;
}

const say = (text: string) => process.stdout.write(`${printable(text)}\n`);

type Outgoing = FederationOfAll['outgoing'][number];
type Incoming = FederationOfAll['incoming'][number];

/** In a cluster each line begins with the node that it is of. */
const at = (node: string | undefined): string => (node === undefined ? '' : `${node}: `);

function describedIncoming({ node, local, remotes, bothWays, ...about }: Incoming): string {
  const { address, encryption, tookThemBy, received, idleSeconds } = about;
  const parts = [
    `${at(node)}${remotes.join(' ')} -> ${local}`,
    `from ${address}`,
    encryption,
    `took them by ${tookThemBy}`,
  ];
  if (bothWays) parts.push('both ways');
  return [...parts, `${received} received`, `idle for ${idleSeconds} s`].join(', ');
}

function described({ node, local, remote, state, stream, waiting, failure }: Outgoing): string {
  const parts = [`${at(node)}${local} -> ${remote}`, state];
  if (stream !== undefined) {
    const {
      kind,
      pairs,
      address,
      port,
      encryption,
      tookUsBy,
      tookThemBy,
      sent,
      received,
      unacknowledged,
      idleSeconds,
    } = stream;
    if (kind !== 'ours')
      parts.push(kind === 'ours, both ways' ? 'both ways on our stream' : 'both ways on their stream');
    if (pairs > 1) parts.push(`one of ${pairs} on this stream`);
    parts.push(`${address} port ${port}`, encryption, `took us by ${tookUsBy}`, `took them by ${tookThemBy}`);
    parts.push(`${sent} sent`, `${unacknowledged} not acknowledged`);
    if (kind !== 'ours') parts.push(`${received} received`);
    parts.push(`idle for ${idleSeconds} s`);
  }
  if (waiting > 0) parts.push(`${waiting} waiting`);
  if (failure !== undefined) parts.push(failure);
  return parts.join(', ');
}
