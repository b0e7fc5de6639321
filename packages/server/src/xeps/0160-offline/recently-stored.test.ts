import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { message, type Origin } from '@parley/xmpp/stanza';
import { expect, it, onTestFinished, vi } from 'vitest';
import { keptOf } from './offline-store.ts';
import { nameOf, RecentlyStored, type Stored } from './recently-stored.ts';

const account = Jid.parse('juliet@capulet.lit');
const NODE = 'f'.repeat(16);
const ORIGIN = { sid: NODE, k: 1, effect: 0 };
const named = (text: string) => nameOf(keptOf(Buffer.from(text), ORIGIN));

function start(noticedMs = 0) {
  const recent = new RecentlyStored(NODE, () => noticedMs);
  const add = (text: string) =>
    recent.add({ account, stanza: message({ to: account }), text: Buffer.from(text), origin: ORIGIN });
  const lost: string[] = [];
  const late: string[] = [];
  let next = Promise.withResolvers<void>();
  /** Something that failed is attempted once more. */
  const again = async () => {
    next.resolve();
    next = Promise.withResolvers();
    await new Promise(setImmediate);
  };
  const restored = (work: (stored: Stored) => Promise<unknown> = () => Promise.resolve()) => {
    const texts: string[] = [];
    recent.restore({
      store(stored) {
        texts.push(String(stored.text));
        return work(stored);
      },
      again: () => next.promise,
      onLate: ({ bareText }) => late.push(bareText),
      onLost: ({ text }, error) => lost.push(`${text}: ${(error as Error).message}`),
    });
    return texts;
  };
  return { recent, add, restored, again, late, lost };
}

it('has everything stored again, one after the other, and others of its account wait for that', async () => {
  const { recent, add, restored, lost } = start();
  expect(recent.restored(account)).toBeUndefined();
  for (const text of ['a', 'b', 'c']) add(text);
  const end = Promise.withResolvers<void>();
  const texts = restored(() => end.promise);
  expect(texts).toEqual(['a']);
  expect(recent.restored(Jid.parse('romeo@montague.lit'))).toBeUndefined();
  let over = false;
  const waits = recent.restored(account)?.then(() => {
    over = true;
  });
  await new Promise(setImmediate);
  expect(over).toBe(false);
  end.resolve();
  await waits;
  expect([recent.restored(account), texts]).toEqual([undefined, ['a', 'b', 'c']]);
  const once = restored(() => Promise.reject(new Error('it fails'))); // as often as it takes
  await recent.restored(account);
  expect(once).toEqual(['a', 'b', 'c']);
  expect(recent.restored(account)).toBeUndefined();
  expect(lost).toEqual(['a: it fails', 'b: it fails', 'c: it fails']);
});

it('keeps the order where the keyspace is lost once more while only the first is there again', async () => {
  const { recent, add, restored } = start();
  for (const text of ['a', 'b', 'c']) add(text);
  const stuck = Promise.withResolvers<void>();
  const first = restored(async ({ text }) => {
    if (String(text) === 'a')
      add('a'); // as whoever has stored it does
    else await stuck.promise;
  });
  await vi.waitFor(() => expect(first).toEqual(['a', 'b']));
  const second = restored();
  stuck.resolve();
  await recent.restored(account);
  expect([first, second]).toEqual([
    ['a', 'b'],
    ['a', 'b', 'c'],
  ]);
});

it('has nothing stored again for an account that is no more, and all for others', async () => {
  const { recent, add, restored } = start();
  add('a');
  const other = Jid.parse('romeo@montague.lit');
  recent.add({ account: other, stanza: message({ to: other }), text: Buffer.from('b'), origin: ORIGIN });
  recent.forget(Jid.parse('juliet@capulet.lit'));
  expect([recent.size, restored()]).toEqual([1, ['b']]);
});

it.each(['away', 'slow', 'full', 'read-only', 'refused'] as const)(
  'tries again where the keyspace is %s, so that none hides another',
  async (failure) => {
    const { recent, add, restored, again, lost, late } = start();
    for (const text of ['a', 'b', 'c', 'd']) add(text);
    const failing = new Map([
      ['b', 3],
      ['d', 2],
    ]);
    const texts = restored(async ({ text }) => {
      const left = failing.get(String(text)) ?? 0;
      failing.set(String(text), left - 1);
      if (left > 0) throw new KeyspaceError(failure, 'not now');
    });
    const waits = recent.restored(account);
    for (const attempted of [['a', 'b'], ['b'], ['b'], ['b', 'c', 'd'], ['d']]) {
      await new Promise(setImmediate);
      expect([texts.splice(0), late]).toEqual([attempted, []]);
      await again();
    }
    expect(texts).toEqual(['d']);
    await waits;
    expect([lost, late]).toEqual([[], [account.bareText]]);
  },
);

it('begins anew where the keyspace loses something once more meanwhile', async () => {
  const { recent, add, restored, again } = start();
  for (const text of ['a', 'b']) add(text);
  const first = restored(() => Promise.reject(new KeyspaceError('read-only', 'not now')));
  await new Promise(setImmediate);
  const second = restored();
  await again();
  await recent.restored(account);
  expect([first, second]).toEqual([['a'], ['a', 'b']]);
});

it('goes on with nothing that is begun anew, which would come before what is lost', async () => {
  const { recent, add, restored } = start();
  for (const text of ['a', 'b']) add(text);
  const stored = Promise.withResolvers<void>();
  const first = restored(() => stored.promise);
  const second = restored();
  stored.resolve();
  await recent.restored(account);
  expect([first, second]).toEqual([['a'], ['a', 'b']]);
});

it('has others wait for the last one where the keyspace loses something again meanwhile', async () => {
  const { recent, add, restored } = start();
  add('a');
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  restored(() => first.promise);
  restored(() => second.promise);
  let settled = false;
  const waits = recent.restored(account)?.then(() => {
    settled = true;
  });
  second.resolve();
  await new Promise(setImmediate);
  expect(settled).toBe(false);
  first.resolve();
  await waits;
  expect(recent.restored(account)).toBeUndefined();
});

it('counts what senders do not count, and has it stored one after the other', async () => {
  const { recent } = start();
  const begun: number[] = [];
  const attempts = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const store = ({ sid, k }: Origin) => {
    expect(sid).toBe(NODE);
    begun.push(k);
    return attempts[k - 1]?.promise ?? Promise.resolve(`${k}`);
  };
  const failing = expect(recent.inTurn(account, store)).rejects.toThrow('it fails');
  const [second, third] = [recent.inTurn(account, store), recent.inTurn(account, store)];
  expect(begun).toEqual([1]);
  attempts[0]?.reject(new Error('it fails'));
  await failing;
  await new Promise(setImmediate);
  expect(begun).toEqual([1, 2]);
  const other = recent.inTurn(Jid.parse('nurse@capulet.lit'), store); // nobody waits for another account
  expect(await other).toBe('3');
  attempts[1]?.resolve('2');
  expect(await Promise.all([second, third])).toEqual(['2', '4']);
});

it('forgets what a client has', () => {
  const { recent, add, restored } = start();
  for (const text of ['a', 'b']) add(text);
  recent.taken(['a', 'c'].map(named));
  expect([restored(), recent.size]).toEqual([['b'], 1]);
});

it('knows for a while what a client was given', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
  onTestFinished(() => now.mockRestore());
  const { recent } = start();
  const was = (text: string) => recent.wasTaken(keptOf(Buffer.from(text), ORIGIN));
  expect(was('a')).toBe(false);
  recent.taken([named('a'), nameOf(Buffer.from('b'))]);
  expect([was('a'), was('b'), recent.wasTaken(Buffer.from('b'))]).toEqual([true, false, false]);
  now.mockReturnValue(16_001);
  recent.taken([named('c')]);
  expect([was('a'), was('c')]).toEqual([false, true]);
  recent.taken(Array.from({ length: 10_000 }, (_, index) => named(`d${index}`)));
  expect([was('c'), was('d0')]).toEqual([false, true]);
});

it('forgets what was stored long ago, and the oldest where it is too much', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
  try {
    const { recent, add, restored } = start();
    add('a');
    now.mockReturnValue(10_000);
    add('b');
    now.mockReturnValue(16_001);
    expect(restored()).toEqual(['b']);
    add('c');
    expect(recent.size).toBe(2);
    expect(add('d'.repeat(8 * 1024 * 1024 - 1))).toBe(1);
    expect(recent.size).toBe(2); // this one, and the one before it
    expect(add('e')).toBe(1);
    now.mockReturnValue(60_000);
    expect(add('f')).toBe(0); // it was time
    let forgotten = 0;
    for (let count = 0; count < 10_009; count++) forgotten += add(`g${count}`);
    expect([recent.size, forgotten]).toEqual([10_000, 10]);
  } finally {
    now.mockRestore();
  }
});

it('counts no time for which the keyspace is away: all that it can have lost is stored again, whenever it is back', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  try {
    const { recent, add, restored } = start();
    add('old');
    now.mockReturnValue(10_000);
    add('new');
    now.mockReturnValue(16_000);
    recent.keyspaceIs('down');
    now.mockReturnValue(20_000);
    recent.keyspaceIs('down'); // for another reason
    now.mockReturnValue(3_600_000);
    expect(restored()).toEqual(['new']); // it changed, and takes no writes yet
    recent.keyspaceIs('up');
    expect(restored()).toEqual(['new']);
    now.mockReturnValue(3_609_000);
    expect(restored()).toEqual(['new']);
    now.mockReturnValue(3_609_001);
    expect(restored()).toEqual([]);
  } finally {
    now.mockRestore();
  }
});

it('remembers as much longer as it takes to notice that the keyspace is away', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  try {
    const { add, restored } = start(5000);
    add('a');
    now.mockReturnValue(20_000);
    expect(restored()).toEqual(['a']);
    now.mockReturnValue(20_001);
    expect(restored()).toEqual([]);
  } finally {
    now.mockRestore();
  }
});

it('knows what it has put back by its text alone, too, once somebody has it', async () => {
  const { recent, add, restored, again } = start();
  for (const text of ['a', 'b', 'c']) add(text);
  let first = true;
  const texts = restored(async () => {
    if (!first) return;
    first = false;
    throw new KeyspaceError('away', 'it may be done all the same', { outcome: 'unknown' });
  });
  const waits = recent.restored(account);
  await new Promise(setImmediate);
  recent.taken(['a', 'b'].map((text) => nameOf(Buffer.from(text))));
  await again();
  await waits;
  expect(texts).toEqual(['a', 'c']);
  const once = restored();
  await recent.restored(account);
  expect(once).toEqual(['c']);
});
