import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Registry } from '@parley/metrics/registry';
import { Jid } from '@parley/xmpp/jid';
import { message, presence } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { expect, it, vi } from 'vitest';
import { Failures } from './failures.ts';
import { Trace } from './tracing/trace.ts';

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

it('notes in the trace of a stanza what went wrong with it', () => {
  const { errorFor } = new Failures(new Registry().metrics, { flood() {} } as never, {} as never);
  const trace = new Trace({ add() {} }, 'xmpp.stanza', 'server', performance.now());
  const stanza = message({ from: juliet, to: romeo });
  errorFor(stanza, new StanzaError('item-not-found'));
  expect(trace.root.failed).toBe(false);
  trace.run(() => errorFor(stanza, new StanzaError('item-not-found')));
  expect([trace.root.failed, trace.root.attributes]).toEqual([false, ['error.type', 'item-not-found']]);
  const later = new Trace({ add() {} }, 'xmpp.stanza', 'server', performance.now());
  later.run(() => errorFor(stanza, new KeyspaceError('full', 'No room.')));
  expect([later.root.failed, later.root.attributes]).toEqual([true, ['error.type', 'KeyspaceError']]);
});
