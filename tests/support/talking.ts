import { onTestFinished } from 'vitest';
import { inTime } from './in-time.ts';
import { type ClientObserver, ManagedClient } from './managed-client.ts';

/** A client that comes back to whichever port is told then. Ends with the test. */
export function clientAt(jid: string, port: () => number, observer: ClientObserver = {}): ManagedClient {
  const client = new ManagedClient(jid, port, { observer });
  onTestFinished(() => client.stop());
  return client;
}

/**
 * Resolves when this is so, which is looked at whenever one of these clients has heard or been told something. Rejects with all
 * that they know where it takes longer than anybody waits.
 */
export function until(clients: readonly ManagedClient[], done: () => boolean): Promise<void> {
  const come = async () => {
    while (!done()) await Promise.race(clients.map((client) => client.changed()));
  };
  return inTime(come(), () => clients.map(ledger).join('\n'));
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
