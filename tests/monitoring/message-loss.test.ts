// A stanza that somebody takes out of a journal in Redis: the log, the metric and a notification tell of it, once.
import { openKeyspace } from '@parley/keyspace/open';
import { ResumptionStore } from '@parley/server/session/resumption/resumption-store';
import { objectOid } from '@parley/snmp-agent/mib/cells';
import { DOCUMENTATION_ARC, xmppServerMib } from '@parley/snmp-agent/mib/xmpp-server-mib';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freeUdpPort } from '../services/free-udp-port.ts';
import { MANAGER } from '../services/net-snmp.ts';
import { TrapReceiver } from '../services/snmptrapd.ts';
import { appearOver } from '../support/network.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';

const WORD = 'a-word-of-the-tests-alone';
const JULIET = Jid.parse('juliet@localhost');
const LOSS = xmppServerMib.notifications.findIndex(({ name }) => name === 'xmppMessageLoss') + 1;
const COUNT = objectOid(xmppServerMib, DOCUMENTATION_ARC, 'xmppNodeJournalUnaccounted').join('\\.');

/** Takes the oldest stanza out of the journal of her only session, as no node would. */
async function rob({ installation }: ClusterProcess): Promise<void> {
  const { url } = (installation.config as { keyspace: { url: string } }).keyspace;
  const { keyspace } = await openKeyspace(url);
  onTestFinished(() => keyspace.close());
  const store = new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  const [session] = await store.list(JULIET);
  const { sid, epoch } = session?.record ?? expect.fail('She has no session.');
  const journal = store.journalOf(JULIET, sid, epoch);
  const [header, oldest, ...rest] = await keyspace.lrange(journal, 0, -1);
  expect([header === undefined, String(oldest).includes('first'), rest.length]).toEqual([false, true, 2]);
  const whole = [['del', journal] as const, ['rpush', journal, header as Buffer, ...rest] as const];
  await keyspace.batch(whole, { atomic: true });
}

it('is told to operators and managers when a stanza is gone from a journal', async () => {
  const traps = await freeUdpPort();
  await using receiver = await TrapReceiver.start(traps, WORD);
  const target = { host: '127.0.0.1', port: traps };
  const targets = [
    { ...target, user: MANAGER.name, inform: true },
    { ...target, community: WORD },
  ];
  const nodes = await startThreeNodes(['romeo@localhost', 'juliet@localhost'], {
    keyspace: { journalSweepSeconds: 1 },
    snmp: { port: 0, users: [MANAGER], targets },
  });
  const [first, second] = nodes as [ClusterProcess, ClusterProcess];
  const agent = await first.installation.snmpAgent();
  const romeo = await appearOver(first.port, 'romeo@localhost/orchard');
  const juliet = await appearOver(second.port, 'juliet@localhost/balcony');
  juliet.send(`<enable xmlns='${NS.streamManagement}' resume='true'/>`);
  await juliet.take(({ name }) => name === 'enabled');
  for (const word of ['first', 'second', 'third']) {
    romeo.send(`<message to='juliet@localhost/balcony' type='chat'><body>${word}</body></message>`);
    expect((await juliet.nextMessage()).childText('body')).toBe(word);
  }

  const alarms = nodes.map(async ({ node }) => [node, await node.nextEvent('journal.unaccounted')] as const);
  await rob(second);
  const [finder, line] = await Promise.race(alarms);
  expect(line).toMatchObject({ level: 'error', kind: 'missing', stanzas: 1 });
  const metrics = await (await fetch(`http://127.0.0.1:${finder.port('http')}/metrics`)).text();
  expect(metrics).toContain('parley_journal_unaccounted_total{kind="missing"} 1\n');

  const words = `\\.32473\\.1\\.0\\.${LOSS}\\b.*\\.${COUNT}\\.(\\d+) = (?:Counter\\d+|Gauge32): 1\\b`;
  const [trap, inform] = [
    await receiver.line(new RegExp(`^TRAP2, SNMP v2c.*${words}`)),
    await receiver.line(new RegExp(`^INFORM, SNMP v3.*${words}`)),
  ];
  const { node: name } = await finder.event('server.started');
  for (const each of [trap, inform]) expect(each).toContain(String(name));
  // what the agent logs comes another way than what it sends
  await vi.waitFor(() => {
    const told = agent.log.filter(
      ({ event, notification }) => event === 'snmp.notification' && notification === 'xmppMessageLoss',
    );
    expect(told).toMatchObject([{ about: `${name}: 1 stanzas` }]);
  });
  // by one node, once, though all of them have looked again since
  const lines = nodes.flatMap(({ node }) => node.log.filter(({ event }) => event === 'journal.unaccounted'));
  expect(lines).toHaveLength(1);
});
