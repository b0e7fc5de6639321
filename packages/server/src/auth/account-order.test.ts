import { partition } from '@parley/keyspace/key';
import { Jid } from '@parley/xmpp/jid';
import { expect, test } from 'vitest';
import { compareAccounts, inOrder, merged } from './account-order.ts';

const some = Array.from({ length: 3000 }, (_, n) => Jid.of(`u${n}`, 'localhost'));
const sorted = [...some].sort(compareAccounts);

async function* pages(accounts: readonly Jid[]): AsyncGenerator<readonly Jid[], void> {
  for (let first = 0; first < accounts.length; first += 100) yield accounts.slice(first, first + 100);
}

const texts = async (list: AsyncIterable<readonly Jid[]>) => (await Array.fromAsync(list)).flat().map(String);

test('goes by partitions, and in these by addresses', () => {
  const places = sorted.map((account) => partition(account.bareText));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  const [same = ''] = sorted.map(String).filter((_, index) => places[index] === places[index + 1]);
  expect(same < String(sorted[sorted.findIndex((account) => String(account) === same) + 1])).toBe(true);
});

test('whoever has no order of its own is brought into this one, each account once', async () => {
  expect(await texts(inOrder(pages([...some, ...some.slice(0, 10)]), undefined))).toEqual(sorted.map(String));
  expect(await texts(inOrder(pages(some), sorted[1999]))).toEqual(sorted.slice(2000).map(String));
});

test('lists in order become one, in which nobody is twice', async () => {
  const lists = [0, 1, 2].map((which) => pages(sorted.filter((_, index) => index % 4 === which || index % 4 === 3)));
  expect(await texts(merged(lists))).toEqual(sorted.map(String));
  expect(await texts(merged([pages(sorted)]))).toEqual(sorted.map(String));
  expect(await texts(merged([]))).toEqual([]);
});

test('whoever wants no more of them ends all', async () => {
  let ended = 0;
  const lists = [0, 1].map(async function* () {
    try {
      yield* pages(sorted);
    } finally {
      ended++;
    }
  });
  for await (const _ of merged(lists)) break;
  expect(ended).toBe(2);
});
