import { expect, it, vi } from 'vitest';
import { freeUdpPort } from '../services/free-udp-port.ts';
import { SnmpManager } from '../services/net-snmp.ts';
import { Snmpd } from '../services/snmpd.ts';
import { TrapReceiver } from '../services/snmptrapd.ts';
import { Installation } from '../support/process.ts';

const WORD = 'a-word-of-the-tests-alone';

it('is a part of the agent of the machine, and comes back to it', async () => {
  const traps = await freeUdpPort();
  await using receiver = await TrapReceiver.start(traps, WORD);
  await using snmpd = await Snmpd.start(traps, WORD);
  const installation = new Installation({ snmp: { agentx: snmpd.master, downSeconds: 6 } });
  const node = await installation.start();
  const agent = await installation.snmpAgent();
  await agent.event('snmp.master-up');
  using manager = new SnmpManager(snmpd.port, (await installation.parley(['mib'])).stdout);
  const shown = async () => {
    const states = await manager.walk('xmppNodeState');
    const applications = await manager.walk('1.3.6.1.2.1.27.1.1.6');
    expect([...states.values()]).toEqual([...applications.values()]);
    return [...states.values()];
  };
  await vi.waitFor(async () => expect(await shown()).toEqual(['1', '1']));

  const again = agent.nextEvent('snmp.master-up');
  await snmpd.stop();
  await agent.event('snmp.master-away');
  await snmpd.start();
  await again;
  await vi.waitFor(async () => expect(await shown()).toEqual(['1', '1']));
  // by the clock of the agent that answers, which has begun anew: by any other it would be later than now
  const time = async (object: string) =>
    Number([...(await manager.walk(object, 'snmpbulkwalk', '-Ot')).values()].at(-1));
  const heard = await time('xmppNodeLastHeard');
  expect(heard).toBeLessThanOrEqual(await time('1.3.6.1.2.1.1.3'));

  await node.kill();
  expect(await receiver.line(/\.32473\.1\.0\.1/)).toContain('.1.3.6.1.4.1.32473.1.0.1');
  await vi.waitFor(async () => expect(await shown()).toEqual(['2', '2']));
  expect(await agent.stop()).toBe(0);
});
