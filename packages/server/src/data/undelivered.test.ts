import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Redis, startRedis } from '../../../../tests/services/redis.ts';
import type { JournalEntry } from '../session/resumption/journal-entry.ts';
import { journalKeys, partitionOf } from '../session/resumption/resumption-keys.ts';
import { blankRecord } from '../session/resumption/resumption-record.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import { undeliveredOf } from './undelivered.ts';

const JULIET = Jid.parse('juliet@our.example');
const HEADER = { handled: 0, origins: new Map() };
const AT = Date.UTC(2026, 6, 21);

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const record = (sid: string, resource: string) =>
  blankRecord({ resource, sid: sid.repeat(16), epoch: 1, maxSeconds: 300, boundAt: 1 });

const message = (from: string, body: string) => `<message from='${from}' to='x@y'><body>${body}</body></message>`;
const entries = (...texts: string[]): JournalEntry[] =>
  texts.map((text) => ({ out: undefined, origin: undefined, at: AT, text }));

describe.each(['memory', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  let store: ResumptionStore;
  beforeAll(async () => {
    ({ keyspace } = await openKeyspace(kind === 'redis' ? redis.url : 'embedded::memory:'));
    store = new ResumptionStore({ keyspace, onDamaged: () => {} });
    return () => keyspace.close();
  });

  async function queue(remote: string, local: string, sid: string, ...texts: string[]): Promise<Jid> {
    const account = Jid.parse(remote);
    await store.openQueue(account, record(sid, local), HEADER);
    await store.append(account.withResource(local), record(sid, local).sid, 1, entries(...texts));
    return account;
  }

  test('what an account has sent to other servers is found, and nothing of anybody else', async () => {
    const hers = message('juliet@our.example/balcony', 'hers');
    await queue('verona.example', 'our.example', 'a', message('nurse@our.example/x', 'not hers'), hers);
    await queue('verona.example', 'other.example', 'b', message('juliet@other.example/x', 'of another domain'));
    const ended = await queue(
      'mantua.example',
      'our.example',
      'c',
      '<message',
      hers,
      message('our.example', 'the server'),
    );
    await store.end(ended, 'our.example', 'c'.repeat(16), 1); // by a node that died before it sent it another way
    const damaged = await queue('padua.example', 'our.example', 'd');
    await keyspace.rpush(journalKeys.key(partitionOf(damaged), 'd'.repeat(16), '1'), 'what is this');

    await store.open(JULIET, record('e', 'balcony'), HEADER);
    const toHer = message('romeo@verona.example/x', 'to her');
    await store.append(JULIET, 'e'.repeat(16), 1, entries(toHer));
    await store.register(JULIET, { ...record('f', 'hall'), epoch: 0 });
    const nurse = Jid.parse('nurse@our.example');
    await store.open(nurse, record('1', 'x'), HEADER);
    await store.append(nurse, '1'.repeat(16), 1, entries(message('juliet@our.example/balcony', 'the nurse’s')));

    const since = '2026-07-21T00:00:00.000Z';
    expect(await Array.fromAsync(undeliveredOf(JULIET, keyspace))).toEqual([
      { for: 'juliet@our.example/balcony', since, stanza: toHer },
      { for: 'verona.example', since, stanza: hers },
      { for: 'mantua.example', since, stanza: hers },
    ]);
    expect(await Array.fromAsync(undeliveredOf(Jid.parse('nobody@our.example'), keyspace))).toEqual([]);
  });
});
