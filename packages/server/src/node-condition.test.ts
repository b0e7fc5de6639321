import type { Keyspace } from '@parley/keyspace/keyspace';
import { expect, it } from 'vitest';
import { SECRET, startComponent } from '../../../tests/support/component.ts';
import { startServer } from '../../../tests/support/server.ts';
import type { Configuration } from './config/schema.ts';
import { NodeCondition } from './node-condition.ts';

const UP = { state: 'up', trouble: undefined } as Keyspace;

/** What a node with a component and two clients shows. */
async function shown(snmp: Partial<Configuration['snmp']>) {
  const components = [{ domain: 'irc.localhost', secret: SECRET }];
  const server = await startServer({ nodes: 1, config: { components, snmp } });
  const { node } = server;
  await startComponent(server, 'irc.localhost');
  await server.client('romeo@localhost/a');
  await server.client('juliet@localhost/b');
  const report = new NodeCondition(node, UP).report(node.registry, 'one');
  const about = report.associations.map(({ kind, remote, port }) => [kind, kind === 'client' ? '' : remote, port]);
  return { about, streams: report.values['xmpp.streams'], domains: report.values['xmpp.domain.sessions'] };
}

const COMPONENT = ['component', 'irc.localhost', 5347];
const CLIENT = ['client', '', 5222];

it('shows the streams that it was told to show, and no more of them than it may', async () => {
  expect((await shown({ associations: 'none' })).about).toEqual([]);
  expect((await shown({ associations: 's2s' })).about).toEqual([COMPONENT]);
  expect((await shown({ associations: 'all' })).about).toEqual([COMPONENT, CLIENT, CLIENT]);
  expect((await shown({ associations: 'all', mostAssociations: 2 })).about).toEqual([COMPONENT, CLIENT]);
});

it('counts streams by kind, and sessions by domain', async () => {
  expect(await shown({})).toMatchObject({
    streams: { 'c2s,bound': 2, 'component,bound': 1 },
    domains: { localhost: 2 },
  });
});
