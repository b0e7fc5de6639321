// Two owners who do not know of each other, and a sender who knows the epoch of either, in any order: what the store
// answers is what a simple model of it answers, and what was appended never gets lost and never comes twice.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import type { JournalEntry } from './journal-entry.ts';
import type { JournalHeader } from './journal-header.ts';
import type { KeptSession, SessionMark } from './kept-session.ts';
import type { ResumptionRecord } from './resumption-record.ts';
import { ResumptionStore } from './resumption-store.ts';

const account = Jid.parse('romeo@montague.lit');
const resource = 'orchard';

const header = (handled: number): JournalHeader => ({ handled, origins: new Map() });
const entry = (out: number): JournalEntry => ({ out, origin: undefined, at: out, text: `<message id='${out}'/>` });
const numbersOf = (entries: readonly JournalEntry[] | undefined) => entries?.map(({ out }) => out as number);

const recordOf = (sid: string, epoch: number): ResumptionRecord => ({
  resource,
  sid,
  epoch,
  maxSeconds: 300,
  carbons: false,
  interested: false,
  receiving: false,
  inactive: false,
  boundAt: 1_700_000_000_000,
  presence: undefined,
  directed: [],
  mechanism: 'SCRAM-SHA-256',
});

/** What one of the two believes. */
interface Owner {
  readonly store: ResumptionStore;
  epoch: number;
  seen: number[];
  mark: SessionMark | undefined;
  /** What the mark stands for. */
  lastSeen: string;
}

/** What is true. */
interface Model {
  epoch: number;
  handled: number;
  entries: number[];
  carbons: boolean;
  /** Whose the record is. */
  by: 0 | 1;
  ended: boolean;
  waiting: number[];
}

/** A word for the record, the journal's first and last element, and how many there are. */
const markOf = ({ epoch, carbons, by, entries, handled }: Model): string =>
  [epoch, carbons, by, handled, entries.length, entries.at(-1)].join(' ');

type Step =
  | { kind: 'read' | 'end' | 'takeOver'; who: 0 | 1 }
  | { kind: 'append'; who: 0 | 1; count: number }
  | { kind: 'checkpoint'; who: 0 | 1; trim: number }
  | { kind: 'update'; who: 0 | 1; carbons: boolean }
  | { kind: 'keepWaiting'; who: 0 | 1; left: number };

const who = fc.constantFrom<(0 | 1)[]>(0, 1);
const kind = <K extends Step['kind']>(name: K) => fc.constant(name);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: kind('read'), who }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('takeOver'), who }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('append'), who, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('checkpoint'), who, trim: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('update'), who, carbons: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('keepWaiting'), who, left: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('end'), who }) },
);

let redis: Redis;
const folder = mkdtempSync(join(tmpdir(), 'parley-fencing-'));
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each([
  { name: 'memory', runs: 100 },
  { name: 'disk', runs: 30 },
  { name: 'redis', runs: 60 },
])('on $name', ({ name, runs }) => {
  let keyspaces: [Keyspace, Keyspace];
  beforeAll(async () => {
    const urls: Record<string, string> = { memory: 'embedded::memory:', disk: `embedded:${folder}`, redis: redis.url };
    const first = (await openKeyspace(urls[name] ?? '')).keyspace;
    const second = name === 'redis' ? (await openKeyspace(redis.url)).keyspace : first;
    keyspaces = [first, second];
    return () => Promise.all(keyspaces.map((keyspace) => keyspace.close()));
  });

  const openStores = () =>
    keyspaces.map(
      (keyspace) => new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) }),
    ) as [ResumptionStore, ResumptionStore];

  /** Takes a step: what the store answers, and what the model says that it should. */
  async function take(one: Step, owner: Owner, sid: string, model: Model): Promise<[answer: unknown, right: unknown]> {
    const { store } = owner;
    const owned = !model.ended && owner.epoch === model.epoch;
    switch (one.kind) {
      case 'read': {
        const found: KeptSession | undefined = await store.read(account, sid);
        const shown = found && [
          found.record.epoch,
          found.record.carbons,
          found.header.handled,
          numbersOf(found.entries),
        ];
        const right = model.ended ? undefined : [model.epoch, model.carbons, model.handled, [...model.entries]];
        if (found) {
          const seen = numbersOf(found.entries) ?? [];
          Object.assign(owner, { epoch: found.record.epoch, seen, mark: found.mark, lastSeen: markOf(model) });
        }
        return [shown, right];
      }
      case 'takeOver': {
        const { epoch, seen, mark } = owner;
        const done = await store.takeOver(account, resource, sid, epoch, header(epoch), seen.map(entry), mark);
        const right = owned && (mark === undefined || owner.lastSeen === markOf(model));
        if (right) {
          Object.assign(model, { epoch: epoch + 1, handled: epoch, entries: [...seen], by: one.who });
          Object.assign(owner, { epoch: epoch + 1, mark: undefined });
        }
        return [done, right];
      }
      case 'append': {
        const numbers = Array.from({ length: one.count }, () => ++last);
        const done = await store.append(account, sid, owner.epoch, numbers.map(entry));
        if (owned) model.entries.push(...numbers);
        return [done, owned];
      }
      case 'checkpoint': {
        if (owned && one.trim > model.entries.length) return [0, 0];
        const handled = ++last;
        const done = await store.checkpoint(account, sid, owner.epoch, header(handled), one.trim);
        if (owned) {
          model.handled = handled;
          model.entries.splice(0, one.trim);
        }
        return [done, owned];
      }
      case 'update': {
        const done = await store.update(account, { ...recordOf(sid, owner.epoch), carbons: one.carbons });
        if (owned) Object.assign(model, { carbons: one.carbons, by: one.who });
        return [done, owned];
      }
      case 'end': {
        const entries = await store.end(account, resource, sid, owner.epoch);
        const right = owned ? [...model.entries] : undefined;
        if (owned) Object.assign(model, { ended: true, waiting: model.entries });
        return [numbersOf(entries), right];
      }
      case 'keepWaiting': {
        await store.keepWaiting(account.withResource(resource), sid, one.left);
        model.waiting = one.left === 0 ? [] : model.waiting.slice(-one.left);
        return [numbersOf(await store.waiting(account, sid)), model.waiting];
      }
    }
  }

  let last = 0;

  it('answers as the model does', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const sid = randomBytes(8).toString('hex');
      const owners = openStores().map(
        (store) => ({ store, epoch: 1, seen: [], mark: undefined, lastSeen: '' }) as Owner,
      );
      const model: Model = { epoch: 1, handled: 0, entries: [], carbons: false, by: 0, ended: false, waiting: [] };
      last = 0;
      await owners[0]?.store.open(account, recordOf(sid, 1), header(0));
      for (const one of steps) {
        const owner = owners[one.who] as Owner;
        const [answer, right] = await take(one, owner, sid, model);
        expect([one, answer]).toEqual([one, right]);
      }
      const handled = await owners[0]?.store.lastHandled(account, sid);
      expect(handled).toBe(model.ended ? model.handled : undefined);
      const [kept] = (await Array.fromAsync(owners[1]?.store.all() ?? []))
        .flat()
        .filter(({ record }) => record.sid === sid);
      expect(kept?.record.epoch).toBe(model.ended ? undefined : model.epoch);
      if (!model.ended) await owners[0]?.store.end(account, resource, sid, model.epoch);
      await owners[0]?.store.keepWaiting(account.withResource(resource), sid, 0);
    });
    await fc.assert(property, { numRuns: runs });
  });

  it('loses nothing and has nothing twice when they race', async () => {
    const turns = fc.array(fc.constantFrom('append', 'takeOver', 'trim'), { minLength: 3, maxLength: 15 });
    const property = fc.asyncProperty(turns, turns, async (first, second) => {
      const sid = randomBytes(8).toString('hex');
      const [one, other] = openStores();
      const accepted: number[] = [];
      const trimmed: number[] = [];
      let number = 0;
      let epochs = 1;
      await one.open(account, recordOf(sid, 1), header(0));

      async function run(store: ResumptionStore, todo: readonly string[]): Promise<void> {
        let epoch = 1;
        let mine: number[] | undefined; // while it believes to be the owner: the oldest entries, as they are
        for (const what of todo) {
          if (what === 'append') {
            const out = ++number;
            if (await store.append(account, sid, epoch, [entry(out)])) accepted.push(out);
          } else if (what === 'takeOver') {
            const found = await store.read(account, sid);
            if (found === undefined) continue;
            epoch = found.record.epoch;
            const { entries, mark } = found;
            mine = undefined;
            if (!(await store.takeOver(account, resource, sid, epoch, header(1), entries, mark))) continue;
            mine = numbersOf(entries);
            epoch++;
            epochs++;
          } else if (mine !== undefined && mine.length > 0) {
            const count = Math.min(2, mine.length);
            if (!(await store.checkpoint(account, sid, epoch, header(2), count))) continue;
            trimmed.push(...mine.splice(0, count));
          }
        }
      }
      await Promise.all([run(one, first), run(other, second)]);

      const found = await one.read(account, sid);
      expect(found?.record.epoch).toBe(epochs); // each take-over had its own epoch
      const entries = numbersOf(await one.end(account, resource, sid, epochs)) ?? [];
      expect([...trimmed, ...entries].sort(ascending)).toEqual(accepted.sort(ascending));
      await one.keepWaiting(account.withResource(resource), sid, 0);
    });
    await fc.assert(property, { numRuns: runs });
  });
});

const ascending = (a: number, b: number) => a - b;
