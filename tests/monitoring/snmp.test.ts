import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { standardMibs } from '../../scripts/test-services.ts';
import { freeUdpPort } from '../services/free-udp-port.ts';
import { MANAGER, SnmpManager, STRONG_MANAGER } from '../services/net-snmp.ts';
import { TrapReceiver } from '../services/snmptrapd.ts';
import { programOf } from '../services/unprivileged.ts';
import { appearOver } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { startThreeNodes } from '../support/three-nodes.ts';

const WORD = 'a-word-of-the-tests-alone';
const NETWORK_SERVICES = '1.3.6.1.2.1.27';

/** The numbers that somebody shows to Prometheus. */
async function prometheus(port: number): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const sumOf = (all: readonly Map<string, number>[], name: string): number =>
  all.reduce(
    (sum, each) => sum + [...each].reduce((of, [key, value]) => of + (key.startsWith(name) ? value : 0), 0),
    0,
  );

async function manager(installation: Installation, agent: RunningParley, user = MANAGER): Promise<SnmpManager> {
  const mib = (await installation.parley(['mib'])).stdout;
  const made = new SnmpManager(Number((await agent.event('snmp.started')).port), mib, user);
  onTestFinished(() => made[Symbol.dispose]());
  return made;
}

describe('SNMP', () => {
  it('has a module that managers understand', async () => {
    const installation = new Installation();
    const { stdout } = await installation.parley(['mib', '--base', '1.3.6.1.4.1.99999.3']);
    const file = join(installation.folder, 'XMPP-SERVER-MIB.txt');
    writeFileSync(file, stdout);
    const env = { ...process.env, SMIPATH: `${installation.folder}:${standardMibs()}` };
    const said = spawnSync(programOf('smilint'), ['-l', '9', '-s', file], { encoding: 'utf8', env });
    expect([said.stdout, said.stderr]).toEqual(['', '']); // it always exits with 0
    for (const base of ['1.2', 'foo', '']) {
      const refused = await installation.parley(['mib', '--base', base]);
      expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^--base: .+\n$/) });
    }
  });

  it('does not start for nobody, and says why', async () => {
    const ended = await new Installation().parley(['snmp']);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/no default community.*snmp\.users/s);
  });

  it('shows a node that is alone', async () => {
    const installation = new Installation({ snmp: { port: 0, users: [MANAGER, STRONG_MANAGER] } });
    await installation.accounts('romeo@localhost');
    const node = await installation.start();
    const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
    const agent = await installation.snmpAgent();
    const asking = await manager(installation, agent);
    expect(await asking.walk('xmppNodeState')).toEqual(
      new Map([
        ['xmppNodeState.1', '1'],
        ['xmppNodeState.2', '1'],
      ]),
    );
    expect((await asking.walk('xmppClusterSessions')).get('xmppClusterSessions.0')).toBe('1 sessions');
    expect((await asking.walk('1.3.6.1.2.1.27.1.1.8')).size).toBe(2);
    // one by one, and one alone; by SHA-512 and AES-256 as well
    const strong = await manager(installation, agent, STRONG_MANAGER);
    for (const each of [asking, strong]) {
      const names = [...(await each.walk('xmppNodeTable', 'snmpwalk')).keys()];
      expect(names).toEqual([...(await asking.walk('xmppNodeTable')).keys()]);
      expect(await each.get('xmppNodeName.1')).toBe('localhost');
    }
    await expect(asking.get('xmppNodeName.9')).resolves.toBe('No Such Instance currently exists at this OID');
    expect((await asking.ask('-v2c', '-c', 'public')).stderr).toMatch(/Timeout/);
    romeo.break();
    expect(await agent.stop()).toBe(0);
    // started once more it is the same, and knows what was counted
    const later = await installation.snmpAgent();
    const [accepted] = (await (await manager(installation, later)).walk('xmppNodeConnectionsAccepted')).values();
    expect(accepted).toBe('1 connections');
  });

  it('tells since when a node runs, by the time of the agent', async () => {
    const installation = new Installation({ snmp: { port: 0, users: [MANAGER] } });
    const first = await installation.start();
    const asking = await manager(installation, await installation.snmpAgent());
    const [upTime, started] = ['1.3.6.1.2.1.1.3', `${NETWORK_SERVICES}.1.1.5`]; // sysUpTime, applUptime
    const ticks = async (object: string) => {
      const cells = await asking.walk(object, 'snmpbulkwalk', '-Otn');
      return new Map([...cells].map(([name, value]) => [name.split('.').at(-1) as string, Number(value)]));
    };
    const now = async () => (await ticks(upTime)).get('0') as number;
    // both began before the agent did
    expect([...(await ticks(started))]).toEqual([
      ['1', 0],
      ['2', 0],
    ]);
    await first.stop();
    const before = await now();
    const second = await installation.start();
    const after = await now();
    const { node } = await second.event('server.started');
    const row = await vi.waitFor(
      async () => {
        const found = [...(await asking.walk('xmppNodeName'))].find(([, name]) => name === node);
        expect(found).toBeDefined();
        return found?.[0].split('.').at(-1) as string;
      },
      { interval: 200 },
    );
    const shown = (await ticks(started)).get(row) as number;
    expect(shown).toBeGreaterThanOrEqual(before);
    expect(shown).toBeLessThanOrEqual(after);
    expect(before).toBeGreaterThan(0);
  });

  it('shows a cluster as /metrics does, and tells that a node is gone', async () => {
    const traps = await freeUdpPort();
    await using receiver = await TrapReceiver.start(traps, WORD);
    const target = { host: '127.0.0.1', port: traps };
    const snmp = {
      port: 0,
      metrics: [{ host: '127.0.0.1', port: 0 }],
      users: [MANAGER],
      downSeconds: 12, // a node tells how it is every five seconds, and may be late
      targets: [
        { ...target, user: MANAGER.name, inform: true },
        { ...target, community: WORD },
      ],
    };
    const nodes = await startThreeNodes(['romeo@localhost', 'juliet@localhost', 'nurse@localhost'], { snmp });
    const [first, second, third] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]];
    const romeo = await appearOver(first.port, 'romeo@localhost/orchard');
    await appearOver(second.port, 'juliet@localhost/balcony');
    await appearOver(third.port, 'nurse@localhost/hall');
    for (let i = 0; i < 20; i++) romeo.send(`<message to='juliet@localhost/balcony'><body>${i}</body></message>`);
    await romeo.sync();
    const agent = await first.installation.snmpAgent();
    const asking = await manager(first.installation, agent);

    await vi.waitFor(async () => {
      const [shown, stanzas] = [await asking.walk('xmppNodeTable'), await asking.walk('xmppStanzaTable')];
      const all = await Promise.all(nodes.map(({ node }) => prometheus(node.port('http'))));
      const cluster = (name: string) => Number(/^-?\d+/.exec(shown.get(`${name}.1`) ?? '')?.[0]);
      expect([...(await asking.walk('xmppNodeState')).values()]).toEqual(['1', '1', '1', '1']);
      expect(cluster('xmppNodeSessions')).toBe(sumOf(all, 'xmpp_sessions'));
      expect(cluster('xmppNodeConnectionsAccepted')).toBe(sumOf(all, 'xmpp_connections_accepted_total'));
      expect(cluster('xmppNodeOctetsIn')).toBe(sumOf(all, 'xmpp_io_bytes_total{direction="in"}'));
      const together = await prometheus(Number(((await agent.event('snmp.started')).metrics as number[])[0]));
      for (const name of [
        'xmpp_sessions',
        'xmpp_io_bytes_total{direction="in"}',
        'xmpp_stanzas_total{kind="message"',
      ]) {
        expect(sumOf([together], name)).toBe(sumOf(all, name));
      }
      const messages = sumOf(all, 'xmpp_stanzas_total{kind="message",direction="in"}');
      expect(stanzas.get('xmppStanzas.1.1.1')).toBe(`${messages} stanzas`);
      expect(messages).toBe(20);
      const inbound = await asking.walk(`${NETWORK_SERVICES}.1.1.8`);
      expect([...inbound.values()].map(Number)).toEqual([3, 1, 1, 1]);
    });

    await second.node.kill();
    const down = await receiver.line(/\.32473\.1\.0\.1\|.*down|\.32473\.1\.0\.1/);
    expect(down).toContain('.1.3.6.1.4.1.32473.1.0.1');
    await vi.waitFor(async () => {
      expect([...(await asking.walk('xmppNodeState')).values()].sort()).toEqual(['1', '1', '1', '2']);
    });
    expect(
      Number((await asking.walk('xmppNodeConnectionsAccepted')).get('xmppNodeConnectionsAccepted.1')?.split(' ')[0]),
    ).toBe(3);
    await third.node.stop();
    await vi.waitFor(async () => {
      expect([...(await asking.walk('xmppNodeState')).values()].sort()).toEqual(['1', '1', '2', '5']);
    });
    expect((await agent.event('snmp.notification')).notification).toMatch(/^xmppNode/);
    expect(agent.log.some(({ event }) => event === 'snmp.untold')).toBe(false);
  });
});
