import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { formatScramVerifier, passwordMatches, scramHashes } from '@parley/xmpp/sasl/scram-verifier';
import { beforeEach, expect, test } from 'vitest';
import { LearntVerifiers, learntVerifierKeys } from './learnt-verifiers.ts';

const juliet = Jid.parse('juliet@localhost');
const mark = { id: 'a-uuid', changed: '20261126120000Z' };

let keyspace: Awaited<ReturnType<typeof openEmbedded>>['keyspace'];
let learnt: LearntVerifiers;

const make = (secret = Buffer.alloc(32, 1)) => new LearntVerifiers({ keyspace, secret, iterations: () => 4096 });
const key = learntVerifierKeys.key('juliet@localhost');

beforeEach(async () => {
  ({ keyspace } = await openEmbedded(undefined, {}));
  learnt = make();
  await learnt.learn(juliet, 'Wherefore?', mark, (hash) => Buffer.from(`salt of ${hash}`));
  return () => keyspace.close();
});

test('a password that was right is known again, in every form', async () => {
  for (const hash of scramHashes) {
    const verifier = await make().get(juliet, hash, mark);
    expect(verifier && (await passwordMatches(verifier, 'Wherefore?'))).toBe(true);
    expect([verifier?.iterations, verifier?.salt.toString()]).toEqual([4096, `salt of ${hash}`]);
  }
});

test.each([
  ['the password is another one', { ...mark, changed: '20261126120001Z' }],
  ['the person is another one', { ...mark, id: 'another-uuid' }],
])('nothing is known where %s', async (_, other) => {
  expect(await learnt.get(juliet, 'SHA-256', other)).toBeUndefined();
});

test('nothing is known of somebody else, of another cluster, nor of what was tampered with', async () => {
  expect(await learnt.get(Jid.parse('romeo@localhost'), 'SHA-256', mark)).toBeUndefined();
  expect(await make(Buffer.alloc(32, 2)).get(juliet, 'SHA-256', mark)).toBeUndefined();
  const sealed = await keyspace.hgetall(key);
  await keyspace.hset(learntVerifierKeys.key('romeo@localhost'), sealed);
  expect(await learnt.get(Jid.parse('romeo@localhost'), 'SHA-256', mark)).toBeUndefined();
  await keyspace.hset(key, [['SHA-512', sealed.get('SHA-256') as Buffer]]);
  expect(await learnt.get(juliet, 'SHA-512', mark)).toBeUndefined();
  await keyspace.hset(key, [['SHA-256', Buffer.from('short')]]);
  expect(await learnt.get(juliet, 'SHA-256', mark)).toBeUndefined();
});

test('what is kept tells nothing, and is forgotten', async () => {
  const verifier = await learnt.get(juliet, 'SHA-256', mark);
  const kept = Buffer.concat([...(await keyspace.hgetall(key)).values()]);
  expect(kept.includes(formatScramVerifier(verifier as NonNullable<typeof verifier>).slice(0, 12))).toBe(false);
  expect(kept.includes(verifier?.salt as Buffer)).toBe(false);
  expect(kept.includes(verifier?.storedKey as Buffer)).toBe(false);
  await learnt.forget(juliet);
  expect(await learnt.get(juliet, 'SHA-256', mark)).toBeUndefined();
});
