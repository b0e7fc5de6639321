import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { UnreliableBus } from '../../../../tests/support/unreliable-bus.ts';
import { Channels } from './channels.ts';
import { Frames } from './frame.ts';

const IDS = ['00000000000000aa', '00000000000000bb'] as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Each member counts what it sends to the other one, all its life. */
class Pair {
  readonly bus = new UnreliableBus();
  readonly sent: [number, number] = [0, 0];
  /** What came from the other one. */
  readonly came: [number[], number[]] = [[], []];
  readonly told: string[] = [];
  readonly #up: [boolean, boolean] = [true, true];
  readonly channels = IDS.map((self, side) => this.#join(self, side as 0 | 1)) as [Channels, Channels];

  #join(self: string, side: 0 | 1): Channels {
    const channels = new Channels({
      self,
      publish: (to, frame) => this.bus.publish(self, to, frame),
      receive: (_from, item) => this.came[side].push(Number(item)),
      onAbsent: () => {},
      onDamaged: (_from, error) => this.told.push(error.message),
      onReset: () => {},
    });
    const frames = new Frames({
      onFrame: ({ sender, body }) => channels.onFrame(sender, body),
      onOtherVersion: () => this.told.push('another version'),
      onDamaged: (_sender, error) => this.told.push(error.message),
    });
    this.bus.join(self, (frame) => frames.receive(frame));
    channels.open(IDS[side === 0 ? 1 : 0]);
    return channels;
  }

  /** `large` items fill frames and windows. */
  send(side: 0 | 1, count: number, large: boolean): void {
    for (let i = 0; i < count; i++) {
      const text = String(++this.sent[side]);
      this.channels[side].send(IDS[side === 0 ? 1 : 0], Buffer.from(large ? text.padEnd(150_000) : text));
    }
  }

  link(side: 0 | 1, up: boolean): void {
    if (up === this.#up[side]) return;
    this.#up[side] = up;
    this.bus.link(IDS[side], up);
    if (up) this.channels[side].linkUp();
  }

  async flow(turns: number): Promise<void> {
    for (let i = 0; i < turns; i++) {
      await vi.advanceTimersByTimeAsync(1);
      this.bus.deliverAll();
    }
  }

  /** Nothing is lost from now on, for longer than anybody waits. */
  async heal(): Promise<void> {
    for (const side of [0, 1] as const) this.link(side, true);
    await this.flow(60);
    for (let waited = 0; waited < 6000; waited += 50) {
      await vi.advanceTimersByTimeAsync(50);
      this.bus.deliverAll();
    }
  }

  [Symbol.dispose](): void {
    for (const channels of this.channels) channels[Symbol.dispose]();
  }
}

const side = fc.constantFrom(0 as const, 1 as const);
const send = fc.record({
  do: fc.constant('send' as const),
  side,
  count: fc.oneof(fc.nat(5), fc.nat(200)),
  large: fc.boolean(),
});
const wait = fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 1, 1, 20, 60, 150, 1200, 6000) });
const moving = (overtaking: fc.Arbitrary<number>) =>
  fc.record({ do: fc.constantFrom('deliver' as const, 'deliver' as const, 'drop' as const), side, overtaking });
const link = fc.record({ do: fc.constant('link' as const), side, up: fc.boolean() });
const reopen = fc.record({ do: fc.constant('reopen' as const), side, closed: fc.constantFrom(0, 1, 300) });

/** For so many turns everything arrives. */
const flow = fc.record({ do: fc.constant('flow' as const), turns: fc.integer({ min: 1, max: 4 }) });

const common = [send, wait, flow, link] as const;
const inOrder = fc.oneof(...common, { arbitrary: moving(fc.constant(0)), weight: 4 });
const reordered = fc.oneof(...common, { arbitrary: moving(fc.nat(5)), weight: 4 });
const reopened = fc.oneof(send, wait, flow, { arbitrary: moving(fc.nat(5)), weight: 4 }, reopen);

/** Long ones: most of what goes wrong takes many steps. */
const many = <T>(step: fc.Arbitrary<T>) => fc.array(step, { maxLength: 60, size: 'max' });

type Step = typeof reopened | typeof reordered extends fc.Arbitrary<infer T> ? T : never;

async function perform(pair: Pair, step: Step): Promise<void> {
  if (step.do === 'wait') await vi.advanceTimersByTimeAsync(step.ms);
  else if (step.do === 'send') pair.send(step.side, step.large ? Math.min(step.count, 12) : step.count, step.large);
  else if (step.do === 'flow') await pair.flow(step.turns);
  else if (step.do === 'link') pair.link(step.side, step.up);
  else if (step.do === 'reopen') {
    const peer = IDS[step.side === 0 ? 1 : 0];
    pair.channels[step.side].close(peer);
    if (step.closed > 0) await vi.advanceTimersByTimeAsync(step.closed);
    pair.channels[step.side].open(peer);
  } else {
    const [from, to] = step.side === 0 ? IDS : [IDS[1], IDS[0]];
    if (step.do === 'deliver') pair.bus.deliver(from, to, step.overtaking);
    else pair.bus.drop(from, to, step.overtaking);
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, place) => place + 1);

function expectAll(pair: Pair): void {
  expect(pair.came).toEqual([upTo(pair.sent[1]), upTo(pair.sent[0])]);
  expect(pair.channels.map((channels, side) => channels.waiting(IDS[side === 0 ? 1 : 0]))).toEqual([0, 0]);
  expect(pair.told).toEqual([]);
  expectRest(pair);
}

/** They wait for nothing. */
function expectRest(pair: Pair): void {
  const timers = vi.getTimerCount(); // whoever runs the tests may have some, too
  pair[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(timers);
}

it('brings each item once and in order, whatever is lost', async () => {
  await fc.assert(
    fc.asyncProperty(many(inOrder), async (steps) => {
      using pair = new Pair();
      for (const step of steps) await perform(pair, step);
      await pair.heal();
      expectAll(pair);
    }),
  );
});

it('brings each item once and in order, whatever is lost and overtaken', async () => {
  await fc.assert(
    fc.asyncProperty(many(reordered), async (steps) => {
      using pair = new Pair();
      for (const step of steps) await perform(pair, step);
      await pair.heal();
      expectAll(pair);
    }),
  );
});

it('brings no item twice and none out of order where sides are closed and opened', async () => {
  const ascending = (items: number[]) =>
    items.every((item, place) => place === 0 || item > (items[place - 1] as number));
  await fc.assert(
    fc.asyncProperty(many(reopened), async (steps) => {
      using pair = new Pair();
      for (const step of steps) await perform(pair, step);
      await pair.heal();
      expect(pair.came.map(ascending)).toEqual([true, true]);
      // both are of one mind again, and everything arrives
      const before = pair.sent.slice();
      for (const side of [0, 1] as const) pair.send(side, 100, false);
      await pair.heal();
      for (const side of [0, 1] as const) {
        const from = side === 0 ? 1 : 0;
        expect(pair.came[side].slice(-100)).toEqual(upTo(100).map((item) => item + (before[from] as number)));
      }
      expect(pair.came.map(ascending)).toEqual([true, true]);
      expect(pair.told).toEqual([]);
      expectRest(pair);
    }),
  );
});
