import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnreliableBus } from '../../../../tests/support/unreliable-bus.ts';
import { readChannelFrame } from './channel-frame.ts';
import { Channels } from './channels.ts';
import { type Frame, Frames, readFrame } from './frame.ts';

const A = '00000000000000aa';
const B = '00000000000000bb';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What a fake timer sets for the end of its turn comes a millisecond later. */
const turn = () => vi.advanceTimersByTimeAsync(1);

function member(bus: UnreliableBus, self: string, onItem?: (from: string, text: string) => void) {
  const items: string[] = [];
  const told: string[] = [];
  const channels = new Channels({
    self,
    publish: (to, frame) => bus.publish(self, to, frame),
    receive: (from, item) => {
      items.push(item.toString());
      onItem?.(from, item.toString());
    },
    onAbsent: () => told.push('absent'),
    onDamaged: (_from, error) => told.push(error.message),
    onReset: () => told.push('reset'),
  });
  const frames = new Frames({
    onFrame: (frame) => channels.onFrame(frame.sender, frame.body),
    onOtherVersion: () => told.push('another version'),
    onDamaged: (_sender, error) => told.push(error.message),
  });
  bus.join(self, (frame) => frames.receive(frame));
  const send = (to: string, ...texts: string[]) => texts.map((text) => channels.send(to, Buffer.from(text)));
  return { channels, items, told, send };
}

/** Everything that can happen without waiting happens. */
async function settle(bus: UnreliableBus): Promise<void> {
  do {
    await turn();
    bus.deliverAll();
    await turn();
  } while (bus.size > 0);
}

/** Two that have met. */
async function two() {
  const bus = new UnreliableBus();
  const [a, b] = [member(bus, A), member(bus, B)];
  a.channels.open(B);
  b.channels.open(A);
  await settle(bus);
  await vi.advanceTimersByTimeAsync(200);
  bus.published = 0;
  return { bus, a, b };
}

const bodyOf = (frame: Buffer | undefined) => (readFrame(frame as Buffer) as Frame).body;
const said = (frame: Buffer | undefined) => readChannelFrame(bodyOf(frame));

describe('channels', () => {
  it('bring what was sent before the other side had opened, without waiting', async () => {
    const bus = new UnreliableBus();
    const [a, b] = [member(bus, A), member(bus, B)];
    a.channels.open(B);
    a.send(B, 'wherefore');
    await settle(bus);
    expect(b.items).toEqual([]);
    b.channels.open(A);
    await settle(bus);
    expect(b.items).toEqual(['wherefore']);
  });

  it('bring what was sent in one turn in one frame', async () => {
    const { bus, a, b } = await two();
    a.send(B, 'wherefore', 'art', 'thou', '');
    await turn();
    expect(bus.size).toBe(1);
    await settle(bus);
    expect(b.items).toEqual(['wherefore', 'art', 'thou', '']);
  });

  it('split what is too much for a frame, and have no more than a megabyte on its way', async () => {
    const { bus, a, b } = await two();
    for (let i = 0; i < 30; i++) a.channels.send(B, Buffer.alloc(100_000, String.fromCharCode(97 + i)));
    await turn();
    expect(bus.size).toBe(5);
    expect(a.channels.waiting(B)).toBe(3_000_000);
    await settle(bus);
    expect(b.items.map((item) => item[0]).join('')).toBe('abcdefghijklmnopqrstuvwxyz{|}~');
    await vi.advanceTimersByTimeAsync(50);
    await settle(bus);
    expect(a.channels.waiting(B)).toBe(0);
  });

  it('bring items that are larger than a frame and the window', async () => {
    const { bus, a, b } = await two();
    for (let i = 0; i < 3; i++) a.channels.send(B, Buffer.alloc(2_000_000, String(i)));
    await settle(bus);
    expect(b.items.map((item) => [item[0], item.length])).toEqual([0, 1, 2].map((i) => [String(i), 2_000_000]));
  });

  it('acknowledge alone within 50 ms, and then rest', async () => {
    const { bus, a, b } = await two();
    a.send(B, 'wherefore');
    await settle(bus);
    expect([bus.published, a.channels.waiting(B)]).toEqual([1, 9]);
    await vi.advanceTimersByTimeAsync(50);
    await settle(bus);
    expect([bus.published, a.channels.waiting(B)]).toEqual([2, 0]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bus.published).toBe(2);
    expect(b.items).toEqual(['wherefore']);
    const timers = vi.getTimerCount(); // whoever runs the tests may have some, too
    for (const { channels } of [a, b]) channels[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(timers);
  });

  it('acknowledge with what is sent anyway', async () => {
    const bus = new UnreliableBus();
    const a = member(bus, A);
    const b = member(bus, B, (from, text) => b.send(from, `${text}?`));
    a.channels.open(B);
    b.channels.open(A);
    await settle(bus);
    bus.published = 0;
    a.send(B, 'wherefore');
    await settle(bus);
    expect([a.items, bus.published, a.channels.waiting(B)]).toEqual([['wherefore?'], 2, 0]);
  });

  it('acknowledge 1024 items at once', async () => {
    const { bus, a } = await two();
    for (let i = 0; i < 1023; i++) a.send(B, 'x');
    await settle(bus);
    expect(a.channels.waiting(B)).toBe(1023);
    a.send(B, 'x');
    await settle(bus);
    expect(a.channels.waiting(B)).toBe(0);
  });

  it('ask for what is missing, once in 100 ms', async () => {
    const { bus, a, b } = await two();
    for (const text of ['1', '2', '3', '4']) {
      a.send(B, text);
      await turn();
    }
    bus.drop(A, B);
    for (let i = 0; i < 3; i++) {
      bus.deliver(A, B);
      await turn();
    }
    expect([b.items, bus.size]).toEqual([[], 1]);
    expect(said(bus.drop(B, A))).toMatchObject({ ask: true, received: 0 });
    await vi.advanceTimersByTimeAsync(90);
    expect(bus.size).toBe(0);
    await vi.advanceTimersByTimeAsync(12);
    expect(bus.size).toBe(1);
    await settle(bus);
    expect(b.items).toEqual(['1', '2', '3', '4']);
  });

  it('see from an acknowledgement that the last item was lost', async () => {
    const { bus, a, b } = await two();
    b.send(A, 'hark');
    await settle(bus);
    a.send(B, 'wherefore');
    await turn();
    bus.drop(A, B);
    b.send(A, 'hark'); // makes the other side acknowledge
    await settle(bus);
    await vi.advanceTimersByTimeAsync(50);
    await settle(bus);
    expect(b.items).toEqual(['wherefore']);
  });

  it('send again after a second without progress, and less often in time', async () => {
    const { bus, a, b } = await two();
    a.send(B, 'wherefore');
    await turn();
    const times: number[] = [];
    for (let now = 0; now < 20_000; now += 50) {
      if (bus.drop(A, B)) times.push(now - (now % 1000));
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(times).toEqual([0, 1000, 3000, 7000, 12_000, 17_000]);
    await vi.advanceTimersByTimeAsync(5000);
    await settle(bus);
    expect(b.items).toEqual(['wherefore']);
  });

  it('wait while the link is down, and send everything again when it is up', async () => {
    const { bus, a, b } = await two();
    a.send(B, '1');
    await turn();
    bus.drop(A, B);
    b.send(A, 'one');
    await turn();
    bus.link(A, false);
    a.send(B, '2');
    await turn();
    a.send(B, '3');
    await turn();
    bus.link(A, true);
    await turn();
    expect(bus.size).toBe(0);
    a.channels.linkUp();
    await settle(bus);
    expect([a.items, b.items]).toEqual([['one'], ['1', '2', '3']]);
  });

  it('try again in time where publishing failed and no link came up', async () => {
    const { bus, a, b } = await two();
    bus.link(A, false);
    a.send(B, 'wherefore');
    await turn();
    bus.link(A, true);
    await vi.advanceTimersByTimeAsync(1000);
    await settle(bus);
    expect(b.items).toEqual(['wherefore']);
  });

  it('take no notice of a failure of before the link came up', async () => {
    const { bus, a, b } = await two();
    const { promise, reject } = Promise.withResolvers<number>();
    vi.spyOn(bus, 'publish').mockImplementationOnce(() => promise);
    a.send(B, '1');
    await turn();
    a.channels.linkUp();
    reject(new Error('The link was down.'));
    await settle(bus);
    a.send(B, '2');
    await settle(bus);
    expect(b.items).toEqual(['1', '2']);
  });

  it('tell that a member is not there', async () => {
    const { bus, a } = await two();
    bus.leave(B);
    a.send(B, 'wherefore');
    await turn();
    expect(a.told).toEqual(['absent']);
  });

  it('know nothing any more of who was closed', async () => {
    const { bus, a, b } = await two();
    a.send(B, 'wherefore');
    b.send(A, 'hark');
    await turn();
    a.channels.close(B);
    expect(a.channels.waiting(B)).toBe(0);
    expect(a.send(B, 'art')).toEqual([false]);
    bus.deliverAll();
    await vi.advanceTimersByTimeAsync(100);
    expect([a.items, b.items]).toEqual([[], ['wherefore']]);
  });

  it('stop in the middle of a frame where that makes them close', async () => {
    const bus = new UnreliableBus();
    const a = member(bus, A);
    const b = member(bus, B, (from) => b.channels.close(from));
    a.channels.open(B);
    b.channels.open(A);
    a.send(B, '1', '2');
    await settle(bus);
    expect(b.items).toEqual(['1']);
  });

  it('begin anew with who has closed and opened', async () => {
    const { bus, a, b } = await two();
    a.send(B, '1');
    b.send(A, 'one');
    await settle(bus);
    b.send(A, 'two');
    await turn();
    a.channels.close(B);
    a.channels.open(B);
    a.send(B, '2');
    await settle(bus);
    expect([a.told, b.told]).toEqual([[], ['reset']]);
    b.send(A, 'three');
    await settle(bus);
    expect([a.items, b.items]).toEqual([
      ['one', 'three'],
      ['1', '2'],
    ]);
  });

  it('ignore frames of the time before they began anew', async () => {
    const { bus, a, b } = await two();
    a.send(B, '1');
    await turn();
    const late = bus.drop(A, B);
    a.channels.close(B);
    a.channels.open(B);
    await settle(bus);
    b.channels.onFrame(A, bodyOf(late));
    a.send(B, '2');
    await settle(bus);
    expect([b.items, b.told, a.told]).toEqual([['2'], ['reset'], []]);
  });

  it('send no item to whom they have not met', async () => {
    const bus = new UnreliableBus();
    const [a, b] = [member(bus, A), member(bus, B)];
    a.channels.open(B);
    b.channels.open(A);
    b.send(A, 'one');
    await turn();
    bus.drop(B, A);
    bus.deliver(A, B);
    await turn();
    const answer = bus.drop(B, A);
    expect(said(answer)).toMatchObject({ hello: true, items: [] });
    expect(said(answer).peer).toBeGreaterThan(0);
    a.channels.close(B); // it may have had the item by now, if there had been one
    a.channels.open(B);
    await settle(bus);
    expect([a.items, b.told]).toEqual([['one'], []]);
  });

  it('tell that they began anew where the frame that said so was lost', async () => {
    const { bus, a, b } = await two();
    a.channels.close(B);
    a.channels.open(B);
    await turn();
    bus.drop(A, B);
    b.send(A, 'one');
    await settle(bus);
    b.send(A, 'two');
    await settle(bus);
    expect([b.told, a.items]).toEqual([['reset'], ['two']]);
  });

  it('ignore what cannot be read, and say so once', async () => {
    const { a, b, bus } = await two();
    for (let i = 0; i < 2; i++) a.channels.onFrame(B, Buffer.of(1));
    expect(a.told).toEqual(['A frame from another node cannot be read: it ends too early.']);
    b.send(A, 'hark');
    await settle(bus);
    expect(a.items).toEqual(['hark']);
  });

  it('end with all their timers', async () => {
    const { bus, a, b } = await two();
    a.send(B, '1');
    b.send(A, 'one');
    await settle(bus);
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    for (const { channels } of [a, b]) channels[Symbol.dispose]();
    a.channels.open(B);
    expect([vi.getTimerCount(), a.send(B, '2')]).toEqual([0, [false]]);
  });
});
