import { onTestFinished } from 'vitest';
import { type ClientObserver, ManagedClient } from './managed-client.ts';

/** A client that comes back to whichever port is told then. Ends with the test. */
export function clientAt(jid: string, port: () => number, observer: ClientObserver = {}): ManagedClient {
  const client = new ManagedClient(jid, port, { observer });
  onTestFinished(() => client.stop());
  return client;
}

async function until(client: ManagedClient, done: () => boolean): Promise<void> {
  while (!done()) await client.changed();
}

/** Resolves when all that it said is acknowledged. */
export const acknowledged = (client: ManagedClient) => until(client, () => client.acknowledged === client.said.length);

export const heard = (client: ManagedClient, count: number) => until(client, () => client.heard.length >= count);
