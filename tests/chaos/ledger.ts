import type { ManagedClient } from '../support/managed-client.ts';

export interface Verdict {
  readonly said: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
}

/** Holds what each client has said to its partner against what the partner has heard. */
export function judge(clients: readonly ManagedClient[], partnerOf: (index: number) => ManagedClient): Verdict {
  const verdict = { said: 0, acknowledged: 0, lost: 0, duplicated: 0, reordered: 0 };
  clients.forEach((client, index) => {
    verdict.said += client.said.length;
    verdict.acknowledged += client.acknowledged;
    const heard = partnerOf(index)
      .heard.filter((line) => line.startsWith(`${client.jid} `))
      .map((line) => line.slice(client.jid.length + 1));
    const times = new Map<string, number>();
    for (const body of heard) times.set(body, (times.get(body) ?? 0) + 1);
    for (const body of client.said) if (!times.has(body)) verdict.lost++;
    for (const count of times.values()) verdict.duplicated += count - 1;
    const order = new Map(client.said.map((body, place) => [body, place]));
    let last = -1;
    for (const body of heard) {
      const place = order.get(body) ?? -1;
      if (place < last) verdict.reordered++;
      last = Math.max(last, place);
    }
  });
  return verdict;
}
