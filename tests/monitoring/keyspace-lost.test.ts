// Redis goes away, and with it all that nodes tell of themselves: managers hear of Redis, and not that nodes are gone.
import { OwnRedis } from '@parley/keyspace/testing/own-redis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freeUdpPort } from '../services/free-udp-port.ts';
import { MANAGER, SnmpManager } from '../services/net-snmp.ts';
import { TrapReceiver } from '../services/snmptrapd.ts';
import { Installation } from '../support/process.ts';

const WORD = 'a-word-of-the-tests-alone';
/** applOperStatus (RFC 2788), of the cluster and of the node. */
const OPERATIONAL_STATUS = '1.3.6.1.2.1.27.1.1.6';
const [UP, HALTED] = ['1', '3'];
/** A node tells how it is every five seconds: it may be late by some more. */
const DOWN_SECONDS = 12;
/** xmppNodeDown, xmppKeyspaceLost and xmppKeyspaceBack, by their numbers. */
const NODE_DOWN = /32473\.1\.0\.1\b/;
const KEYSPACE_LOST = /32473\.1\.0\.4\b.*\.3\.1 = INTEGER: 3\b/;
const KEYSPACE_BACK = /32473\.1\.0\.5\b/;

it('tells that Redis is away, and back', async () => {
  const traps = await freeUdpPort();
  await using receiver = await TrapReceiver.start(traps, WORD);
  const redis = await OwnRedis.start();
  const installation = new Installation({
    keyspace: { url: redis.url, commandTimeoutSeconds: 1 },
    cluster: { secret: 'a secret that only the tests know of' },
    limits: { process: { eventLoopDelayMilliseconds: 60_000 } },
    snmp: {
      port: 0,
      users: [MANAGER],
      downSeconds: DOWN_SECONDS,
      targets: [{ host: '127.0.0.1', port: traps, community: WORD }],
    },
  });
  await installation.start();
  const agent = await installation.snmpAgent();
  const manager = new SnmpManager(Number((await agent.event('snmp.started')).port));
  onTestFinished(() => manager[Symbol.dispose]());
  const statuses = async () => [...(await manager.walk(OPERATIONAL_STATUS)).values()];
  await vi.waitFor(async () => expect(await statuses()).toEqual([UP, UP]));

  await redis.kill();
  const lostAt = performance.now();
  await receiver.line(KEYSPACE_LOST);
  // for longer than a node may be silent
  const isLong = async () => {
    expect(await statuses()).toEqual([HALTED, HALTED]);
    expect(performance.now() - lostAt).toBeGreaterThan((DOWN_SECONDS + 2) * 1000);
  };
  await vi.waitFor(isLong, { interval: 500 });
  await redis.start();
  await receiver.line(KEYSPACE_BACK);
  await vi.waitFor(async () => expect(await statuses()).toEqual([UP, UP]));
  expect(receiver.lines.filter((line) => NODE_DOWN.test(line))).toEqual([]);
});
