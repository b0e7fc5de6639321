import { onTestFinished } from 'vitest';
import { type ClientObserver, ManagedClient } from './managed-client.ts';

/** A client that comes back to whichever port is told then. Ends with the test. */
export function clientAt(jid: string, port: () => number, observer: ClientObserver = {}): ManagedClient {
  const client = new ManagedClient(jid, port, { observer });
  onTestFinished(() => client.stop());
  return client;
}

/** Milliseconds: more than anything takes, and less than a test may. */
const PATIENCE = 120_000;

/**
 * Resolves when this is so, which is looked at whenever one of these clients has heard or been told something. Rejects with all
 * that they know where it takes longer than anybody waits.
 */
export async function until(clients: readonly ManagedClient[], done: () => boolean): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`It takes too long. ${clients.map(ledger).join('\n')}`)), PATIENCE);
  try {
    while (!done()) await Promise.race([...clients.map((client) => client.changed()), late]);
  } finally {
    clearTimeout(timer);
  }
}

const ledger = ({ jid, said, acknowledged, heard }: ManagedClient) =>
  `${jid} said ${said.length}, ${acknowledged} of them acknowledged, and heard: ${heard.join(', ')}`;

/** Resolves when all that it said is acknowledged. */
export const acknowledged = (client: ManagedClient) =>
  until([client], () => client.acknowledged === client.said.length);

export const heard = (client: ManagedClient, count: number) => until([client], () => client.heard.length >= count);

/** Resolves when it has had its session again so often, all in all. */
export const resumed = (client: ManagedClient, times: number) =>
  until([client], () => client.resumeTimes.length >= times);
