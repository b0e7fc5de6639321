import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import snmp from 'net-snmp';
import { expect, it, onTestFinished } from 'vitest';
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
