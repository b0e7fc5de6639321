import { PARTITIONS, partition } from '@parley/keyspace/key';
import { Jid } from '@parley/xmpp/jid';

/**
 * The order in which the accounts of a domain are listed: that of their partitions in the keyspace, and in one of these that
 * of their addresses. It is the same at all times and on all nodes, and nobody needs all of the addresses to keep to it.
 */
export function compareAccounts({ bareText: one }: Jid, { bareText: other }: Jid): number {
  return partition(one) - partition(other) || (one < other ? -1 : one > other ? 1 : 0);
}

/** Accounts that come in any order, and may come twice: entries of a directory. Their addresses, as text, are in memory together. */
export async function* inOrder(
  pages: AsyncIterable<readonly Jid[]>,
  after: Jid | undefined,
): AsyncGenerator<readonly Jid[], void> {
  const partitions = Array.from({ length: PARTITIONS }, (): string[] => []);
  for await (const page of pages) for (const { bareText } of page) partitions[partition(bareText)]?.push(bareText);
  for (const texts of partitions) {
    const accounts = [...new Set(texts)].sort().map((text) => Jid.parse(text));
    const page = after === undefined ? accounts : accounts.filter((account) => compareAccounts(account, after) > 0);
    if (page.length > 0) yield page;
  }
}

/** Several lists that are in order, as one. */
export async function* merged(lists: readonly AsyncIterable<readonly Jid[]>[]): AsyncGenerator<readonly Jid[], void> {
  const [only] = lists;
  if (only !== undefined && lists.length === 1) {
    yield* only;
    return;
  }
  const iterators = lists.map(eachOf);
  try {
    let heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    for (;;) {
      const [least] = heads.flatMap(({ value }) => value ?? []).sort(compareAccounts);
      if (least === undefined) return;
      yield [least];
      heads = await Promise.all(
        heads.map((head, index) =>
          head.value !== undefined && compareAccounts(head.value, least) === 0
            ? (iterators[index] as AsyncGenerator<Jid, void>).next()
            : head,
        ),
      );
    }
  } finally {
    for (const iterator of iterators) await iterator.return();
  }
}

async function* eachOf(pages: AsyncIterable<readonly Jid[]>): AsyncGenerator<Jid, void> {
  for await (const page of pages) yield* page;
}
