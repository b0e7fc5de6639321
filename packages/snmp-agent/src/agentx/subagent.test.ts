import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { View } from '../protocol/view.ts';
import { type MasterPdu, PDU, PduFramer, readPdu, writePdu } from './pdu.ts';
import { Subagent } from './subagent.ts';

/** A master agent that answers what it is told to answer. */
async function master() {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const asked: MasterPdu[] = [];
  let socket: Socket | undefined;
  const answer = ({ session, transaction, packet }: MasterPdu) =>
    socket?.write(writePdu({ type: PDU.response, session, transaction, packet }, Buffer.alloc(8)));
  server.on('connection', (connected) => {
    socket = connected.on('error', () => {});
    const framer = new PduFramer();
    connected.on('data', (octets: Buffer) => {
      for (const pdu of framer.push(octets)) {
        const asks = readPdu(pdu);
        if (asks.type === PDU.open || asks.type === PDU.register) answer({ ...asks, session: 7 });
        else asked.push(asks);
      }
    });
  });
  /** The notification of this number, when it has come. */
  const notified = async (number: number): Promise<MasterPdu> => {
    const found = () => asked.filter(({ type }) => type === PDU.notify)[number - 1];
    await until(() => found() !== undefined);
    return found() as MasterPdu;
  };
  const { port } = server.address() as { port: number };
  return { address: `127.0.0.1:${port}`, answer, notified };
}

async function start(address: string) {
  const up = Promise.withResolvers<void>();
  const down = Promise.withResolvers<Error>();
  const subagent = new Subagent({
    ...{ master: address, description: 'of the tests', view: new View(), subtrees: [[1, 3, 6, 1, 4, 1, 32473]] },
    onUp: () => up.resolve(),
    onDown: down.resolve,
  });
  onTestFinished(() => subagent[Symbol.dispose]());
  await up.promise;
  return { subagent, down: down.promise };
}

/** `vi.waitFor` would have the time go on. */
async function until(so: () => boolean): Promise<void> {
  for (const end = performance.now() + 120_000; !so(); ) {
    if (performance.now() > end) throw new Error(`It takes too long: ${so}, and ${vi.getTimerCount()} timers run.`);
    await new Promise((turn) => setImmediate(turn));
  }
}

/** Resolves when so many timers run. */
const timers = (count: number) => until(() => vi.getTimerCount() === count);

it('waits for each answer by its own time, whatever else is answered meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { address, answer, notified } = await master();
  const { subagent, down } = await start(address);
  let gone: Error | undefined;
  void down.then((error) => {
    gone = error;
  });
  const idle = vi.getTimerCount();
  subagent.notify('1.3.6.1.4.1.32473.1.0.1', [], 1);
  await notified(1);
  vi.advanceTimersByTime(3000);
  subagent.notify('1.3.6.1.4.1.32473.1.0.2', [], 2);
  answer(await notified(2));
  await timers(idle + 1); // that answer has come
  vi.advanceTimersByTime(1999);
  await new Promise((turn) => setImmediate(turn));
  expect(gone).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect((await down).message).toBe('The master agent does not answer.');
});

it('goes on with a master that answers each in its time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { address, answer, notified } = await master();
  const { subagent } = await start(address);
  const idle = vi.getTimerCount();
  for (let number = 1; number <= 4; number++) {
    subagent.notify('1.3.6.1.4.1.32473.1.0.1', [], number);
    const asked = await notified(number);
    vi.advanceTimersByTime(3000); // before the one that was sent then has waited as long as it may
    answer(asked);
    await timers(idle);
  }
});
