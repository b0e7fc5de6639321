import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type SimulatedMember, SimulatedNetwork, sessionOf } from './simulated-members.ts';

const pick = fc.nat();
/** Each but the last kind names members and broadcasts by numbers, modulo how many there are. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('change' as const), member: pick, sid: fc.nat({ max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), member: pick, sid: fc.nat({ max: 5 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('hear' as const), index: fc.nat({ max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('lose' as const), index: fc.nat({ max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), index: fc.nat({ max: 5 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('damage' as const), index: fc.nat({ max: 5 }), header: fc.boolean() }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('item' as const), index: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('beat' as const), member: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 3000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('notice' as const), member: pick, other: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), member: pick }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Large, so that a few sessions take more than a page. */
const LARGE = 'x'.repeat(100_000);

class Story {
  readonly network = new SimulatedNetwork(() => vi.advanceTimersByTime(0));
  #joined = 0;
  #versions = 0;
  readonly #gone: string[] = [];

  constructor() {
    for (let count = 0; count < 3; count++) this.#join();
    const members = [...this.network.members.values()];
    for (const { announcements } of members) for (const { id } of members) announcements.joined(id);
  }

  run(one: Step): void {
    const { network } = this;
    const { broadcasts, channels } = network;
    switch (one.do) {
      case 'change':
        this.#member(one.member)?.set(this.#session(one.sid));
        break;
      case 'end':
        this.#member(one.member)?.delete(sidOf(one.sid));
        break;
      case 'turn':
        this.#pass(0);
        break;
      case 'hear':
        network.deliverBroadcast(one.index);
        break;
      case 'lose':
        broadcasts.splice(one.index, 1);
        break;
      case 'repeat':
        broadcasts.push(...broadcasts.slice(one.index, one.index + 1));
        break;
      case 'damage':
        damage(broadcasts[one.index]?.body, one.header);
        break;
      case 'item':
        if (channels.length > 0) network.deliverItem(channels[one.index % channels.length] as (typeof channels)[0]);
        break;
      case 'beat':
        this.#member(one.member)?.announcements.beat();
        break;
      case 'wait':
        this.#pass(one.ms);
        break;
      case 'join':
        this.#join();
        break;
      case 'notice':
        this.#notice(this.#member(one.member), this.#member(one.other), one.other);
        break;
      case 'crash':
        this.#crash(one.member);
        break;
    }
  }

  /** Everybody gets to know who is there, and nothing is lost any more: one beat of each has to be enough. */
  settle(): void {
    const members = [...this.network.members.values()];
    for (const member of members) {
      for (const { id } of members) member.announcements.joined(id);
      for (const id of this.#gone) member.announcements.left(id);
    }
    for (const member of members) member.announcements.beat();
    this.network.deliverAll();
  }

  #pass(ms: number): void {
    vi.advanceTimersByTime(ms);
  }

  #member(index: number): SimulatedMember | undefined {
    return [...this.network.members.values()][index % Math.max(1, this.network.members.size)];
  }

  #session(index: number) {
    const version = ++this.#versions;
    return sessionOf(sidOf(index), { boundAt: version, presence: version % 3 === 0 ? LARGE : undefined });
  }

  #join(): void {
    if (this.network.members.size < 5) this.network.add(`m${++this.#joined}`);
  }

  #crash(index: number): void {
    const id = this.#member(index)?.id;
    if (id === undefined) return;
    this.network.crash(id);
    this.#gone.push(id);
  }

  /** One member hears that another one joined, or that one left. */
  #notice(member: SimulatedMember | undefined, other: SimulatedMember | undefined, index: number): void {
    const left = this.#gone[index % Math.max(1, this.#gone.length)];
    if (left !== undefined && index % 2 === 0) member?.announcements.left(left);
    else if (other !== undefined) member?.announcements.joined(other.id);
  }
}

const sidOf = (index: number) => `000000000000000${index}`;

// What can be noticed: the kind of the broadcast, or of its first record. Damage to a time, say, would be believed.
function damage(body: Buffer | undefined, header: boolean): void {
  if (body !== undefined && body.length > 4) body.writeUInt8(0xff, header ? 1 : 4);
}

describe('announcements', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('make everybody know the same of everybody in the end, whatever gets lost, is late or comes twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const story = new Story();
        try {
          for (const one of steps) story.run(one);
          story.settle();
          const members = [...story.network.members.values()];
          for (const member of members) {
            for (const other of members) {
              if (member !== other) expect([...member.view(other.id)].sort()).toEqual([...other.own].sort());
            }
          }
        } finally {
          for (const { announcements } of story.network.members.values()) announcements.stop();
          vi.clearAllTimers();
        }
      }),
      { numRuns: 1000 },
    );
  });
});
