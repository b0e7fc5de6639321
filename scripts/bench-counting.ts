// What is counted of a message between two clients, by itself: nanoseconds, without anything else that becomes of it.
//
// Rounds of it take turns with rounds that do the same and count nothing, so that the loop is no part of the difference.
import { Registry } from '@parley/metrics/registry';
import { configurationSchema } from '@parley/server/config/schema';
import type { Session } from '@parley/server/session/session';
import { SessionTraffic } from '@parley/server/session/traffic';
import type { Stanza } from '@parley/xmpp/stanza';

const ROUNDS = 36;
const MESSAGES = 1_000_000;
/** One of so many is timed (`client-sessions.ts`). */
const TIMED_ONE_OF = 16;

const { metrics } = new Registry();
const config = configurationSchema([]).parse({});
const traffic = new SessionTraffic(() => config, metrics);
const sessions = ['romeo', 'juliet'].map(
  (local) => ({ jid: { local, domain: 'localhost' }, stream: { unlimited: true } }) as unknown as Session,
) as [Session, Session];
const message = { kind: 'message' } as Stanza;
const delivered = { here: 0 };

/** As a node does it: taken in, delivered here, written. */
function counted(): void {
  const [from, to] = sessions;
  for (let i = 0; i < MESSAGES; i++) {
    const at = i % TIMED_ONE_OF === 0 ? performance.now() : 0;
    traffic.received(from, message.kind);
    delivered.here++;
    traffic.sent(to, message);
    if (at !== 0) metrics.deliveryDuration.record((performance.now() - at) / 1000);
  }
}

let visited = 0;

function uncounted(): void {
  const [from, to] = sessions;
  for (let i = 0; i < MESSAGES; i++) visited += i % TIMED_ONE_OF === 0 ? from.jid.domain.length : to.jid.domain.length;
}

function nanoseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / MESSAGES;
}

/** Nanoseconds that counting takes of each message, one of each round. */
export function countingRounds(): number[] {
  for (const run of [counted, uncounted, counted, uncounted]) run();
  const rounds = Array.from({ length: ROUNDS }, () => nanoseconds(counted) - nanoseconds(uncounted));
  if (visited === 0 || delivered.here === 0) throw new Error('Nothing was counted.');
  return rounds;
}
