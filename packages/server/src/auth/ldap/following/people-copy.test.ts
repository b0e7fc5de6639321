// Whatever fails in between: what is known, and what was told, becomes what the directory says.
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Registry } from '@parley/metrics/registry';
import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Log } from '../../../log.ts';
import { Peers } from '../../../peers.ts';
import type { Directory } from '../directory.ts';
import { type Entry, entryOf } from '../entry.ts';
import type { PersonState } from '../person-state.ts';
import { KnownPeople, type PersonChange } from './known-people.ts';
import { PeopleCopy } from './people-copy.ts';
import { memoryKeyspace } from './testing-following.ts';

const IDS = ['1', '2', '3', '4'];
const NAMES = ['romeo', 'juliet', 'nurse', ''];
const KINDS = ['active', 'disabled', 'locked'] as const;

type Kind = (typeof KINDS)[number];
type World = ReadonlyMap<string, { name: string; kind: Kind }>;

const worlds: fc.Arbitrary<World> = fc
  .array(fc.option(fc.record({ name: fc.constantFrom(...NAMES), kind: fc.constantFrom(...KINDS) })), {
    minLength: IDS.length,
    maxLength: IDS.length,
  })
  .map((all) => new Map(all.flatMap((each, index) => (each === null ? [] : [[IDS[index] ?? '', each] as const]))));

/** Reads entries of this test. */
const directory = {
  name: 'corp',
  settings: { people: { id: 'id' }, preset: { idForm: 'text' } },
  person: async (entry: Entry) => {
    const name = entry.text('name') ?? '';
    if (name === '') return new (await import('../person.ts')).NoPerson('no address', 'has no name');
    const state: PersonState = { kind: entry.text('kind') as Kind };
    return { id: entry.text('id') ?? '', dn: entry.dn, account: Jid.parse(`${name}@localhost`), state, entry };
  },
} as unknown as Directory;

/** Fails at one of the next writes: before it, or when it is done. */
class FailingKeyspace {
  readonly keyspace: Keyspace;
  #left = Number.POSITIVE_INFINITY;
  #done = false;

  constructor(real: Keyspace) {
    this.keyspace = new Proxy(real, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'call' && name !== 'batch') return value.bind(target);
        return async (...args: unknown[]) => {
          if (this.#left-- > 0) return value.apply(target, args);
          if (this.#done) await value.apply(target, args);
          throw new KeyspaceError('away', 'It has failed.');
        };
      },
    });
  }

  failAfter(writes: number, done: boolean): void {
    this.#left = writes;
    this.#done = done;
  }

  heal(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }
}

it('comes to what the directory says, whatever fails in between', async () => {
  const steps = fc.array(
    fc.record({ tried: worlds, next: worlds, failAfter: fc.nat({ max: 14 }), done: fc.boolean() }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const real = await memoryKeyspace();
      const failing = new FailingKeyspace(real);
      const { keyspace } = failing;
      const people = new KnownPeople({ directory: 'corp', keyspace, peers: new Peers(), onFault: () => {} });
      const told = new Map<string, string>();
      people.onChange((change) => tell(told, change));
      const load = () =>
        PeopleCopy.load({
          keyspace,
          directory,
          people,
          metrics: new Registry().metrics,
          log: Log.create({ level: 'silent' }),
          epoch: 1,
          onTrouble: () => {},
        });
      const turnTo = async (world: World) => {
        const copy = await load();
        try {
          await copy.apply(changesTo(world, copy.ids()));
        } finally {
          copy.close();
        }
      };
      for (const { tried, next, failAfter, done } of all) {
        failing.failAfter(failAfter, done);
        await turnTo(tried).catch(() => {});
        failing.heal();
        await turnTo(next);
        await check(next, people, told);
      }
    }),
    { numRuns: 200 },
  );
});

function changesTo(world: World, known: Iterable<string>) {
  const present = [...world].map(([id, { name, kind }]) => {
    const attributes = Object.entries({ id, name, kind }).map(([key, value]) => [key, [Buffer.from(value)]] as const);
    return { id, entry: entryOf(`cn=${id}`, attributes) };
  });
  const gone = [...known].filter((id) => !world.has(id)).map((id) => ({ id }));
  return [...present, ...gone];
}

function tell(told: Map<string, string>, { kind, account, before, state }: PersonChange): void {
  if (before !== undefined) told.delete(before.local);
  if (kind === 'removed') told.delete(account.local);
  else told.set(account.local, state.kind);
}

async function check(world: World, people: KnownPeople, told: Map<string, string>): Promise<void> {
  for (const name of NAMES.filter((each) => each !== '')) {
    const who = [...world].filter(([, each]) => each.name === name);
    const known = await people.get(Jid.parse(`${name}@localhost`));
    expect(who.map(([id]) => id).includes(known?.id ?? '')).toBe(who.length > 0);
    if (known !== undefined) expect(known.state.kind).toBe(world.get(known.id)?.kind);
    expect(told.get(name)).toBe(known?.state.kind);
  }
}
