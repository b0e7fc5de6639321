import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { message, presence } from '@parley/xmpp/stanza';
import { expect, it, vi } from 'vitest';
import { Failures } from './failures.ts';

const juliet = Jid.parse('juliet@localhost/balcony');
const romeo = Jid.parse('romeo@localhost');

it('has messages and presence for all contacts wait while the keyspace is away, and nothing else', async () => {
  vi.useFakeTimers();
  const { passes } = new Failures({} as never, {} as never, { state: 'up' } as never);
  const away = new KeyspaceError('away', 'It is not there.');
  const waits = [message({ from: juliet, to: romeo }), presence({ from: juliet })].map((stanza) =>
    passes(stanza, away),
  );
  await vi.runAllTimersAsync();
  expect(await Promise.all(waits)).toEqual([undefined, undefined]);
  for (const wait of waits) expect(wait).toBeInstanceOf(Promise);
  expect(passes(presence({ from: juliet, to: romeo, type: 'subscribe' }), away)).toBeUndefined();
  expect(passes(presence({ from: juliet }), new KeyspaceError('full', 'No room.'))).toBeUndefined();
  vi.useRealTimers();
});
