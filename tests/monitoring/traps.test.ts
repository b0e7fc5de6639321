// SNMPv3 traps: whoever gets them has to believe the time that they tell.
import { Target } from '@parley/snmp-agent/notifications/targets';
import { expect, it, onTestFinished } from 'vitest';
import { freeUdpPort } from '../services/free-udp-port.ts';
import { MANAGER } from '../services/net-snmp.ts';
import { TrapReceiver } from '../services/snmptrapd.ts';

const ENGINE = '80007ed905010203';
const HOUR = 3600;

it('are taken as they come, and again after a long time', async () => {
  const port = await freeUdpPort();
  await using receiver = await TrapReceiver.start(port, 'a-word-of-the-tests-alone', ENGINE);
  let seconds = 10;
  const { name, password, privacyPassword } = MANAGER;
  const as = {
    name,
    authentication: { protocol: 'SHA-256', password },
    privacy: { protocol: 'AES', password: privacyPassword },
  } as const;
  const engine = { id: Buffer.from(ENGINE, 'hex'), boots: 3, time: () => seconds };
  const settings = { host: '127.0.0.1', port, as, inform: false };
  const target = new Target(settings, engine, (_, error) => expect.fail(error.message));
  onTestFinished(() => target.close());
  const tell = (number: number) => target.tell({ oid: `1.3.6.1.4.1.32473.1.0.${number}`, varbinds: [], upTime: 100 });
  tell(1);
  expect(await receiver.line(/\.32473\.1\.0\.1\b/)).toMatch(/^TRAP2, SNMP v3/);
  seconds += HOUR;
  tell(2);
  expect(await receiver.line(/\.32473\.1\.0\.2\b/)).toMatch(/^TRAP2, SNMP v3/);
  // one that somebody has recorded long ago is none (RFC 3414 §3.2 7b)
  seconds -= HOUR;
  tell(3);
  seconds += HOUR;
  tell(4);
  await receiver.line(/\.32473\.1\.0\.4\b/);
  expect(receiver.lines.some((line) => /\.32473\.1\.0\.3\b/.test(line))).toBe(false);
});
