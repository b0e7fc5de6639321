import type { World } from './world.ts';

/** What may be in the store when nobody is connected. */
const LASTING = new Set(['account', 'accounts', 'roster', 'handled', 'offline-senders', 'members', 'journal-counts']);

/** The first word of a key. */
const nameOf = (key: string): string => key.slice(0, key.indexOf(':'));

/** What the store holds of sessions while all are at rest: exactly those that clients have. */
export function leftovers({ store, devices }: World): string[] {
  const wrong: string[] = [];
  const own = new Set<string | undefined>(
    devices.flatMap(({ session }) => (session === undefined ? [] : [session.id.slice(0, 16)])),
  );
  const journals = store.keys.filter((key) => nameOf(key) === 'journal').map((key) => key.split(':')[2]);
  for (const sid of journals) if (!own.has(sid)) wrong.push(`the journal of ${sid}`);
  for (const sid of own) {
    const count = journals.filter((other) => other === sid).length;
    if (count !== 1) wrong.push(`${count} journals of ${sid}`);
  }
  const expected = new Set([...LASTING, 'journal', 'session', 'sessions']);
  for (const key of store.keys) if (!expected.has(nameOf(key))) wrong.push(key);
  return wrong;
}
