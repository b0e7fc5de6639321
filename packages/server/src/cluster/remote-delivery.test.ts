import { setImmediate as nextTurn } from 'node:timers/promises';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { message, presence, type Stanza } from '@parley/xmpp/stanza';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Session } from '../session/session.ts';
import { InboundDeliveries } from './inbound-deliveries.ts';
import { decodeAnswers, decodeDeliver } from './items.ts';
import { RemoteDelivery, type Target } from './remote-delivery.ts';

const SELF = '0'.repeat(16);
const B = 'b'.repeat(16);
const C = 'c'.repeat(16);
const SIDS = ['1'.repeat(16), '2'.repeat(16)];
const juliet = Jid.parse('juliet@capulet.lit/balcony');

/** What the keyspace and the nodes know of one session, whoever owns it. */
interface Kept {
  owner: string | undefined;
  /** What it has taken, each once. */
  readonly taken: string[];
  /** The number of the latest one, as its origins know it. */
  highest: number;
}

/** Three nodes, of which this one sends; all others do what a test says. */
class World {
  readonly sessions = new Map<string, Kept>();
  readonly alive = new Set([SELF, B, C]);
  /** Items on their way to a node, and answers on their way back. */
  readonly out = new Map<string, Buffer[]>([B, C].map((node) => [node, []]));
  readonly back = new Map<string, { id: number; done: boolean }[]>([B, C].map((node) => [node, []]));
  readonly over: string[] = [];
  readonly settled = new Map<string, boolean[]>();
  /** Whether the keyspace answers, and whether it can tell of sessions. */
  up = true;
  damaged = false;
  readonly faults: string[] = [];
  bytes = 0;
  attempts: number[] = [];
  #waiting: (() => void)[] = [];
  readonly #own = new Map<string, Session>();
  readonly #inbound = new Map([B, C].map((node) => [node, this.#inboundOf(node)]));
  readonly delivery = new RemoteDelivery({
    self: SELF,
    send: (to, item) => void this.out.get(to)?.push(item),
    isAlive: (node) => this.alive.has(node),
    waiting: () => this.bytes,
    own: (sid) => this.#own.get(sid),
    ownerOf: async (_, sid) => {
      if (!this.up) throw new KeyspaceError('away', 'away');
      if (this.damaged) throw new KeyspaceError('damaged', 'damaged');
      return this.sessions.get(sid)?.owner;
    },
    again: (attempts) => {
      this.attempts.push(attempts);
      return new Promise((resolve) => this.#waiting.push(resolve));
    },
    onOver: (sid) => this.over.push(sid),
    onUnreadable: (error) => this.faults.push((error as Error).message),
  });

  constructor(owner = B) {
    for (const sid of SIDS) {
      this.sessions.set(sid, { owner, taken: [], highest: 0 });
      if (owner === SELF) this.#come(sid);
    }
  }

  #inboundOf(node: string): InboundDeliveries {
    const send = (stanza: Stanza, sid: string) => this.#take(this.kept(sid), stanza.id ?? '', stanza.origin?.k ?? 0);
    return new InboundDeliveries({
      own: (sid) =>
        this.kept(sid).owner === node ? ({ send: (stanza: Stanza) => send(stanza, sid) } as Session) : undefined,
      send: (_, item) => void (this.alive.has(node) && this.back.get(node)?.push(...decodeAnswers(item))),
      route() {},
      onLate() {},
    });
  }

  kept(sid: string): Kept {
    return this.sessions.get(sid) as Kept;
  }

  async deliver(name: string, sid = SIDS[0] as string, believed = B, stanza = named(name)): Promise<void> {
    const target: Target = { jid: juliet, sessionId: sid, node: believed, resumable: true };
    const results: boolean[] = [];
    this.settled.set(name, results);
    results.push(await this.delivery.deliver(target, stanza));
  }

  /** A node deals with the next item. */
  async step(node: string): Promise<void> {
    const item = this.out.get(node)?.shift();
    if (item === undefined) return;
    this.#inbound.get(node)?.receive(SELF, item);
    await nextTurn();
  }

  #take(kept: Kept, name: string, k: number): void {
    if (k <= kept.highest) return; // the same as Origins: it came before
    kept.highest = k;
    kept.taken.push(name);
  }

  answer(node: string): void {
    const answer = this.back.get(node)?.shift();
    if (answer !== undefined) this.delivery.onAnswer(node, answer.id, answer.done);
  }

  /** A session goes to another node, or is over. */
  move(sid: string, to: string | undefined): void {
    const kept = this.kept(sid);
    if (kept.owner === undefined || (to !== undefined && !this.alive.has(to))) return;
    const own = this.#own.get(sid) as { ended: boolean; movedAway: boolean } | undefined;
    kept.owner = to;
    if (to === SELF) {
      if (own === undefined) this.#come(sid);
    } else if (own !== undefined) {
      this.#own.delete(sid);
      own.ended = true;
      if (to === undefined) return;
      own.movedAway = true;
      this.delivery.hold(sid);
    }
  }

  #come(sid: string): void {
    const session = {
      ended: false,
      movedAway: false,
      send: async (stanza: Stanza) => {
        await nextTurn();
        if (!session.movedAway) this.#take(this.kept(sid), stanza.id ?? '', stanza.origin?.k ?? 0);
      },
    };
    this.#own.set(sid, session as unknown as Session);
  }

  /** A node is declared dead, and others take its sessions over; `heir` undefined: nobody could. */
  die(node: string, heir: string | undefined): void {
    if (!this.alive.delete(node)) return;
    this.out.get(node)?.splice(0);
    this.back.get(node)?.splice(0);
    this.delivery.onNodeGone(node);
    for (const [sid, { owner }] of this.sessions) if (owner === node) this.move(sid, heir);
  }

  async tick(): Promise<void> {
    for (const resolve of this.#waiting.splice(0)) resolve();
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }

  /** Everything happens that still can. */
  async settle(): Promise<void> {
    for (let round = 0; round < 1000 && this.delivery.size > 0; round++) {
      for (const node of [B, C]) {
        await this.step(node);
        this.answer(node);
      }
      await this.tick();
    }
    await this.tick();
  }
}

const named = (id: string) => message({ to: juliet, id, type: 'chat' });

describe('a stanza for a session of another node', () => {
  it('is taken when the owner says so', async () => {
    const world = new World();
    void world.deliver('1');
    await world.step(B);
    expect([world.settled.get('1'), world.delivery.size]).toEqual([[], 1]);
    world.answer(B);
    await nextTurn();
    expect([world.settled.get('1'), world.delivery.size, world.kept(SIDS[0] as string).taken]).toEqual([
      [true],
      0,
      ['1'],
    ]);
  });

  it('is on its way at once and waits for nothing where it need not be kept', () => {
    const world = new World();
    const target = { jid: juliet, sessionId: SIDS[0] as string, node: B, resumable: true };
    expect(world.delivery.deliver(target, presence({ to: juliet }))).toBe(true);
    expect(world.delivery.deliver({ ...target, resumable: false }, named('1'))).toBe(true);
    expect(world.out.get(B)?.map((item) => decodeDeliver(item).id)).toEqual([0, 0]);
    expect(world.delivery.size).toBe(0);
  });

  it('is waited for, whatever it is, where very much is on its way already', async () => {
    const world = new World();
    world.bytes = 8 * 1024 * 1024 + 1;
    const target = { jid: juliet, sessionId: SIDS[0] as string, node: B, resumable: false };
    const taken = world.delivery.deliver(target, presence({ to: juliet }));
    expect(taken).toBeInstanceOf(Promise);
    await world.step(B);
    world.answer(B);
    expect(await taken).toBe(true);
  });

  it('keeps its own origin, where it has one', () => {
    const world = new World();
    const origin = { sid: 'a'.repeat(16), k: 7, effect: 1 };
    void world.deliver('1', SIDS[0], B, named('1').withOrigin(origin));
    expect(decodeDeliver(world.out.get(B)?.[0] as Buffer).origin).toEqual(origin);
  });

  it('finds no session that is over', async () => {
    const world = new World();
    const [sid] = SIDS as [string];
    void world.deliver('1');
    world.move(sid, undefined);
    await world.settle();
    expect([world.settled.get('1'), world.over, world.kept(sid).taken]).toEqual([[false], [sid], []]);
  });

  it('looks for it again where the keyspace is away, less and less often', async () => {
    const world = new World();
    const [sid] = SIDS as [string];
    void world.deliver('1');
    world.up = false;
    world.die(B, C);
    for (let round = 0; round < 4; round++) await world.tick();
    expect(world.attempts.slice(0, 4)).toEqual([0, 1, 2, 3]);
    world.up = true;
    await world.settle();
    expect([world.settled.get('1'), world.kept(sid).taken]).toEqual([[true], ['1']]);
  });

  it('is for nobody where nothing can be read of the session, which is told once', async () => {
    const world = new World();
    const [sid] = SIDS as [string];
    for (const name of ['1', '2']) void world.deliver(name);
    world.damaged = true;
    world.die(B, C);
    await world.settle();
    expect(['1', '2'].map((name) => world.settled.get(name))).toEqual([[false], [false]]);
    expect([world.faults, world.over, world.delivery.sought]).toEqual([['damaged'], [sid], 0]);
  });

  it('does not overtake what went to a node that has the session no more', async () => {
    const world = new World();
    const [sid] = SIDS as [string];
    void world.deliver('1');
    world.move(sid, C);
    void world.deliver('2', sid, C); // its announcement has come
    await world.settle();
    expect(world.kept(sid).taken).toEqual(['1', '2']);
  });

  it('comes after what this node was about to take for the session when it left', async () => {
    const world = new World(SELF);
    const [sid] = SIDS as [string];
    const session = { sessionId: sid, account: juliet.bare } as Session;
    const first = named('1').withOrigin(world.delivery.originOf(named('1')));
    const order = world.delivery.nextOrder();
    world.delivery.begin(sid);
    world.move(sid, C);
    void world.deliver('2', sid, C);
    for (let round = 0; round < 5; round++) await world.tick();
    expect(world.out.get(C)).toEqual([]);
    world.delivery.end(sid);
    expect(world.delivery.precedes(sid)).toBe(true);
    const followed = world.delivery.follow(session, first, order);
    await world.settle();
    expect([await followed, world.kept(sid).taken, world.delivery.precedes(sid)]).toEqual([true, ['1', '2'], false]);
  });

  it('precedes what this node has for a session that comes here', async () => {
    const world = new World();
    const [sid] = SIDS as [string];
    void world.deliver('1');
    world.move(sid, SELF);
    expect(world.delivery.precedes(sid)).toBe(true);
    const queued = world.delivery.queue({ sessionId: sid, account: juliet.bare } as Session, named('2'));
    await world.settle();
    expect([await queued, world.kept(sid).taken]).toEqual([true, ['1', '2']]);
  });
});

const node = fc.constantFrom(B, C);
const anyNode = fc.constantFrom(SELF, B, C);
const place = fc.nat({ max: SIDS.length - 1 });
const event = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant('deliver' as const), place, node: anyNode }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('step' as const), place, node }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('answer' as const), place, node }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('move' as const), place, node: anyNode }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('tick' as const), place, node }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('up' as const), place, node }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('die' as const), place, node }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('end' as const), place: fc.constant(0), node }) },
);

it('is taken once, in order, wherever the session goes, for as long as anybody has it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), fc.constantFrom(SELF, B, C), async (events, first) => {
      const world = new World(first);
      const asked = new Map<string, string[]>(SIDS.map((sid) => [sid, []]));
      let count = 0;
      for (const { what, place, node } of events) {
        const sid = SIDS[place] as string;
        if (what === 'deliver') {
          const name = String(++count);
          asked.get(sid)?.push(name);
          const own = world.kept(sid).owner === SELF;
          // what is here is sent here, behind whatever precedes it
          if (own) {
            const session = { sessionId: sid, account: juliet.bare } as Session;
            const results: boolean[] = [];
            world.settled.set(name, results);
            void world.delivery.queue(session, named(name)).then((taken) => results.push(taken));
          } else void world.deliver(name, sid, node === SELF ? B : node);
        } else if (what === 'step') await world.step(node);
        else if (what === 'answer') world.answer(node);
        else if (what === 'move') world.move(sid, node);
        else if (what === 'tick') await world.tick();
        else if (what === 'up') world.up = !world.up;
        else if (what === 'end') world.move(sid, undefined);
        else
          world.die(
            node,
            [B, C, SELF].find((heir) => heir !== node && world.alive.has(heir)),
          );
      }
      world.up = true;
      await world.settle();
      expect(world.delivery.size).toBe(0);
      for (const [sid, names] of asked) {
        const { owner, taken } = world.kept(sid);
        if (owner !== undefined) expect(taken).toEqual(names);
        // it is over: in order still, and whoever was told that it was taken was told the truth
        expect(taken).toEqual(names.filter((name) => taken.includes(name)));
        for (const name of names) {
          const results = world.settled.get(name);
          expect(results).toHaveLength(1);
          if (results?.[0]) expect(taken).toContain(name);
        }
        expect(world.delivery.precedes(sid)).toBe(false);
      }
    }),
    { numRuns: 300 },
  );
});

it('says of what has waited for long that others may have come since its recipient was chosen', async () => {
  const world = new World();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  const late = () => world.out.get(B)?.map((item) => decodeDeliver(item).origin?.late);
  void world.deliver('1');
  world.kept(SIDS[1] as string).owner = C;
  world.alive.delete(C);
  void world.deliver('2', SIDS[1], C); // it waits
  await nextTurn();
  expect(late()).toEqual([undefined]);
  clock.mockReturnValue(2000);
  world.kept(SIDS[1] as string).owner = B;
  await world.tick();
  expect(late()).toEqual([undefined, true]);
});
