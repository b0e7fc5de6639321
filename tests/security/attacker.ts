import { setImmediate as nextTurn } from 'node:timers/promises';
import { NS } from '@parley/xmpp/namespaces';
import type { TestClient } from '../support/client.ts';
import type { Attack } from './attacks.ts';

/** What a socket gives to its reader at once, at most. */
const CHUNK = 65_536;
/** Whoever gets that far has not been stopped. */
const ENOUGH = 4_000_000;

/** Sends as a socket would, a turn for each chunk, until all is sent or the stream is over. */
export async function flood(client: TestClient, bytes: Buffer): Promise<void> {
  let open = true;
  void client.closed.then(() => {
    open = false;
  });
  for (let at = 0; at < bytes.length && open; at += CHUNK) {
    client.sendBytes(bytes.subarray(at, at + CHUNK));
    await nextTurn();
  }
}

/** Carries out an attack and gives the condition of the stream error that ends it. */
export async function conditionAfter(client: TestClient, { once, again }: Attack): Promise<string | undefined> {
  const first = Buffer.from(once);
  const rest = again === undefined ? Buffer.alloc(0) : Buffer.alloc(ENOUGH - first.length, again);
  await flood(client, Buffer.concat([first, rest]));
  const error = await client.take((element) => element.is('error', NS.streams));
  await client.closed;
  return error.firstChild?.name;
}
