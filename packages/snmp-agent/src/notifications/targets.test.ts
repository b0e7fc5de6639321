import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import snmp from 'net-snmp';
import { expect, it, onTestFinished, vi } from 'vitest';
import { stockUser, type UserSettings } from '../protocol/access.ts';
import { readMessageHeader } from '../protocol/message-header.ts';
import { Target } from './targets.ts';

const user: Omit<UserSettings, 'subtrees'> = {
  name: 'manager',
  authentication: { protocol: 'SHA-256', password: 'a password of hers' },
  privacy: { protocol: 'AES', password: 'another password' },
};
const NOTICE = { oid: '1.3.6.1.4.1.32473.1.0.1', varbinds: [], upTime: 1234 };

it('has the time of its engine in traps, which can be read with it', async () => {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  let seconds = 77;
  const engine = { id: Buffer.from('80007ed905010203', 'hex'), boots: 5, time: () => seconds };
  const target = new Target({ host: '127.0.0.1', port, as: user, inform: false }, engine, (_, error) =>
    expect.fail(error.message),
  );
  onTestFinished(() => target.close());
  const told = async (): Promise<Buffer> => {
    const came = once(socket, 'message');
    target.tell(NOTICE);
    return (await came)[0] as Buffer;
  };
  expect(readMessageHeader(await told())).toMatchObject({
    ...{ engineId: engine.id, engineBoots: 5, engineTime: 77, user: 'manager', secured: true },
  });
  seconds = 4000;
  const trap = await told();
  expect(readMessageHeader(trap)).toMatchObject({ engineBoots: 5, engineTime: 4000 });

  // net-snmp's own receiver decrypts and verifies it
  const heard = Promise.withResolvers<{ pdu: { varbinds: { value: unknown }[] } }>();
  const receiver = snmp.createReceiver(
    { port: 0, address: '127.0.0.1' } as object,
    (error: Error | null, data: unknown) => {
      if (error) heard.reject(error);
      else heard.resolve(data as never);
    },
  );
  onTestFinished(() => void receiver.close());
  receiver.getAuthorizer().addUser(stockUser(user));
  (receiver as unknown as { onMsg(socket: unknown, message: Buffer, from: object): void }).onMsg(socket, trap, {
    ...{ address: '127.0.0.1', port, family: 'IPv4', size: trap.length },
  });
  const { pdu } = await heard.promise;
  expect(pdu.varbinds.slice(0, 2).map(({ value }) => value)).toEqual([1234, NOTICE.oid]);
});

/** An inform, as the response to it (RFC 3416 §4.2.7): the same but for the kind of PDU. */
function acknowledgement(inform: Buffer): Buffer {
  const [INFORM, RESPONSE] = [0xa6, 0xa2];
  const response = Buffer.from(inform);
  response[response.indexOf(INFORM)] = RESPONSE;
  return response;
}

it('tells an inform again until it is acknowledged, and says which never was', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const engine = { id: Buffer.from('80007ed905010203', 'hex'), boots: 1, time: () => 1 };
  const failures: string[] = [];
  const settings = { host: '127.0.0.1', port, as: 'a word that only they know', inform: true };
  const target = new Target(settings, engine, (_, { message }) => failures.push(message));
  onTestFinished(() => target.close());
  const came: { inform: Buffer; from: number }[] = [];
  socket.on('message', (inform, { port: from }) => void came.push({ inform, from }));
  /** Nothing but timers that are put forward lets time go on here. */
  const until = async (so: () => boolean) => {
    for (const end = performance.now() + 120_000; !so(); ) {
      if (performance.now() > end) throw new Error(`${came.length} have come, and ${vi.getTimerCount()} timers run.`);
      await new Promise((turn) => setImmediate(turn));
    }
  };
  /** Resolves when it has come so often. */
  const times = async (count: number) => {
    for (let time = 1; time <= count; time++) {
      await until(() => came.length === time);
      await until(() => vi.getTimerCount() === 1);
      if (time < count) vi.advanceTimersToNextTimer();
    }
    const [{ inform, from }] = came as [(typeof came)[0]];
    expect(came.every((each) => each.inform.equals(inform))).toBe(true);
    came.splice(0);
    return { inform, from };
  };

  target.tell(NOTICE);
  const { inform, from } = await times(3);
  socket.send(acknowledgement(inform), from, '127.0.0.1');
  await until(() => vi.getTimerCount() === 0);
  expect(failures).toEqual([]);
  target.tell(NOTICE);
  await times(6);
  vi.advanceTimersToNextTimer();
  await until(() => failures.length > 0);
  expect([failures, came]).toEqual([[expect.stringMatching(/timed out/i)], []]);
});
