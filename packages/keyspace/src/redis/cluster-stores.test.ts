// Which servers of a cluster count as the same store, told by what they answer to CLUSTER SLOTS and to commands.
import { expect, onTestFinished, test } from 'vitest';
import type { LinkEvent } from '../bus.ts';
import { Trouble } from '../trouble.ts';
import { ClusterConnection, type Shard } from './cluster-connection.ts';
import type { Link } from './link.ts';
import type { Request } from './request.ts';
import { SLOTS, slotOf } from './slot.ts';

const SLOT = slotOf('global');

/** A server, whose link comes up and says what it has been told to. */
class FakeLink {
  storeId: string | undefined;
  up = false;
  readonly hears = true;
  readonly trouble = undefined;
  closed = false;
  /** What it says to the next command. */
  answer: unknown = 'OK';
  readonly #shard: Shard;
  readonly #slots: () => Promise<unknown>;

  constructor(shard: Shard, slots: () => Promise<unknown>) {
    this.#shard = shard;
    this.#slots = slots;
  }

  comesUp(storeId: string): void {
    this.storeId = storeId;
    this.up = true;
    this.#shard.onChange();
  }

  submit({ commands, answer }: Request): void {
    if (!this.up) throw new Error('It is away.');
    const isLook = commands[0]?.name === 'CLUSTER';
    const reply = isLook ? this.#slots() : Promise.resolve(this.answer);
    void reply.then((each) => answer(commands.map(() => each)));
  }

  onLink(): () => void {
    return () => {};
  }

  async hear(): Promise<void> {}

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Who has the first half of the slots, and who has the rest. */
type Owners = [number, number];

async function start(...first: Owners) {
  let owners = first;
  let told = Promise.resolve();
  const slots = async () => {
    await told;
    return [
      [0, SLOTS / 2 - 1, ['10.0.0.1', owners[0]]],
      [SLOTS / 2, SLOTS - 1, ['10.0.0.1', owners[1]]],
    ];
  };
  const links = new Map<number, FakeLink>();
  const cluster = new ClusterConnection({
    trouble: new Trouble(),
    channels: [],
    connect({ port }, shard) {
      const link = new FakeLink(shard, slots);
      links.set(port, link);
      return link as unknown as Link;
    },
    askAny: async () => [await slots(), '10.0.0.1'],
  });
  onTestFinished(() => cluster.close());
  const events: LinkEvent[] = [];
  cluster.onLink((event) => events.push(event));
  const look = async () => {
    cluster.look();
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  await look();
  const link = (port: number) => links.get(port) as FakeLink;
  for (const port of first) link(port).comesUp(`run ${port}`);
  expect(events.splice(0)).toEqual(['up']);
  /** The slots have others now, of which CLUSTER SLOTS tells once this resolves, or what is returned is called. */
  const change = (...next: Owners) => {
    owners = next;
    return look();
  };
  const changeLater = (...next: Owners) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    told = promise;
    return () => {
      resolve();
      return change(...next);
    };
  };
  const say = () => {
    const { promise, resolve } = Promise.withResolvers<unknown[]>();
    cluster.submit({ commands: [{ name: 'SET', args: [] }], lane: 'global', atomic: false, answer: resolve });
    return promise;
  };
  return { events, link, change, changeLater, say, cluster };
}

const owner = SLOT < SLOTS / 2 ? 0 : 1;
/** Two servers, of which the one that has the global keys is told first. */
const of = (mine: number, other: number): Owners => (owner === 0 ? [mine, other] : [other, mine]);

test('a replica that takes the place of its primary is another store, though that one lives on and is its replica', async () => {
  const { events, link, change } = await start(...of(1, 2));
  await change(...of(3, 2));
  expect([events.splice(0), link(1).closed]).toEqual([['down'], true]);
  link(3).comesUp('run 3');
  expect(events).toEqual(['storeChanged', 'up']);
});

test('so it is where a command is told of it first', async () => {
  const { events, link, changeLater, say } = await start(...of(1, 2));
  const tell = changeLater(...of(3, 2));
  link(1).answer = new Error(`MOVED ${SLOT} 10.0.0.1:3`);
  expect(await say()).toEqual([new Error('It is away.')]);
  link(3).comesUp('run 3');
  expect(events.splice(0)).toContain('storeChanged'); // before anything is written to it
  expect(await say()).toEqual(['OK']);
  await tell();
  expect(events.splice(0)).toContain('storeChanged'); // that of all other slots as well
  expect(link(1).closed).toBe(true);
});

test('a server that gets all slots of another one that lives is no loss', async () => {
  const { events, link, change } = await start(...of(1, 2));
  await change(2, 2);
  expect([events, link(1).closed]).toEqual([[], true]);
});

test('nor is one that is just getting its first slots', async () => {
  const { events, link, change, say } = await start(...of(1, 2));
  link(1).answer = new Error(`ASK ${SLOT} 10.0.0.1:3`);
  expect(await say()).toEqual([new Error('It is away.')]);
  link(3).comesUp('run 3');
  link(1).answer = new Error(`MOVED ${SLOT} 10.0.0.1:3`);
  expect(await say()).toEqual(['OK']);
  await change(...of(3, 2));
  expect(events).not.toContain('storeChanged');
});

test('one that gets the slots of another one that is gone is one', async () => {
  const { events, link, change } = await start(...of(1, 2));
  link(1).up = false;
  await change(2, 2);
  expect(events).toContain('storeChanged');
});

test('what goes to all servers goes to each once, and nowhere while one is missing', async () => {
  const { cluster, link, change } = await start(1, 2);
  const ask = async () => {
    const all = cluster.ways.map(({ lane }) => {
      const { promise, resolve } = Promise.withResolvers<unknown[]>();
      cluster.submit({ commands: [{ name: 'PING', args: [] }], lane, atomic: false, answer: resolve });
      return promise;
    });
    return (await Promise.all(all)).flat().sort();
  };
  link(1).answer = 'one';
  link(2).answer = 'two';
  expect(await ask()).toEqual(['one', 'two']);
  await change(3, 2);
  await expect(ask()).rejects.toThrow('It is away.');
  await change(2, 2);
  expect(await ask()).toEqual(['two']);
});
