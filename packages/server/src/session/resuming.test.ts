import { openKeyspace } from '@parley/keyspace/open';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { expect, it, onTestFinished } from 'vitest';
import {
  FakeStream,
  idOf,
  JULIET,
  type ManagedOptions,
  ManagedSession,
  turns,
} from '../../../../tests/support/managed-session.ts';
import { UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
import { ResumptionStore } from './resumption/resumption-store.ts';

async function start(options: Omit<ManagedOptions, 'store'> = {}) {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const unreliable = new UnreliableKeyspace(keyspace);
  const newStore = () =>
    new ResumptionStore({ keyspace: unreliable.keyspace, onDamaged: (error) => expect.fail(error.message) });
  const store = newStore();
  const juliet = await new ManagedSession({ store, ...options }).open();
  return { juliet, store, unreliable, newStore };
}

const written = (stream: FakeStream) =>
  stream.sent.map((text) => (text.startsWith('<r ') ? 'r' : (/^<resumed .*h='(\d+)'/.exec(text)?.[1] ?? idOf(text))));
const inbound = (juliet: ManagedSession) =>
  juliet.session.receive(stanzaFromText(Buffer.from('<message/>')).toElement());

/** The session as the next process finds it. */
async function restored(juliet: ManagedSession, store: ResumptionStore): Promise<ManagedSession> {
  const sid = juliet.session.sessionId;
  const kept = await store.read(JULIET.bare, sid);
  if (kept === undefined) throw new Error('It is gone.');
  const { record, header, entries } = kept;
  return new ManagedSession({ store, sid, from: { epoch: record.epoch, header, entries } });
}

it('what came while nobody was there, and what got lost, follows in order', async () => {
  const { juliet } = await start();
  for (const id of ['1', '2', '3']) await juliet.say(id);
  inbound(juliet);
  juliet.stream.break();
  expect([juliet.detachments, juliet.session.detached]).toEqual([['lost'], true]);
  await juliet.say('4');
  expect(await juliet.resume(1)).toBe(true);
  await juliet.say('5');
  expect(written(juliet.stream)).toEqual(['1', '2', '3', '4', 'r', '5']);
  expect(await juliet.journal()).toEqual({ epoch: 2, handled: 1, entries: ['2 2', '3 3', '4 4', '5 5'] });
  juliet.management.acknowledge(5);
  await juliet.management.settled();
  expect((await juliet.journal())?.entries).toEqual([]);
});

it('nothing is written before the journal has the new numbers, and what comes meanwhile has one, too', async () => {
  const { juliet, unreliable } = await start();
  await juliet.say('1');
  juliet.stream.break();
  await juliet.say('2');
  await juliet.management.settled();
  const stream = new FakeStream();
  let meanwhile: Promise<void> | undefined;
  unreliable.fate = () => {
    expect(stream.sent).toEqual([]);
    meanwhile ??= juliet.say('3');
    unreliable.fate = () => 'done';
    return 'unanswered';
  };
  expect(await juliet.resume(0, stream)).toBe(true);
  expect(written(stream)).toEqual(['0', '1', '2', 'r']);
  await meanwhile;
  expect(written(stream)).toEqual(['0', '1', '2', 'r', '3']);
  expect((await juliet.journal())?.entries).toEqual(['1 1', '2 2', '3 3']);
});

it('the stream that it had, though it looks alive, is told and says nothing more', async () => {
  const { juliet } = await start();
  const before = juliet.stream;
  await juliet.say('1');
  expect(await juliet.resume(1)).toBe(true);
  await juliet.say('2');
  expect([before.errors, written(before)]).toEqual([['conflict'], ['1', 'r']]);
  expect(written(juliet.stream)).toEqual(['0', '2', 'r']);
  expect([juliet.detachments, juliet.ends]).toEqual([[], []]);
});

it('a stanza that the old stream is dealing with counts for what the client is told', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { juliet } = await start({ process: () => promise });
  const done = inbound(juliet);
  const resumed = juliet.resume(0);
  await turns();
  expect(juliet.stream.sent).toEqual([]);
  resolve();
  await done;
  await resumed;
  expect(written(juliet.stream)).toEqual(['1']);
  expect(juliet.management.nextInbound).toBe(2);
  expect((await juliet.journal())?.handled).toBe(1);
});

it('a stanza that fails with the old stream does not count', async () => {
  const { juliet } = await start({ process: () => Promise.reject(new Error('a stream error')) });
  const failure = Promise.resolve(inbound(juliet)).catch(() => {});
  expect(await juliet.resume(0)).toBe(true);
  await failure;
  expect(written(juliet.stream)[0]).toBe('1'); // it was answered
});

it('two connections at once: the one that came last has it', async () => {
  const { juliet } = await start();
  await juliet.say('1');
  juliet.stream.break();
  const streams = [new FakeStream(), new FakeStream(), new FakeStream()] as const;
  const resumed = await Promise.all(streams.map((stream) => juliet.resume(0, stream)));
  expect(resumed).toEqual([true, true, true]);
  expect(streams.map(({ errors }) => errors)).toEqual([['conflict'], ['conflict'], []]);
  await juliet.say('2');
  expect(streams.map(written)).toEqual([
    ['0', '1', 'r'],
    ['0', '1', 'r'],
    ['0', '1', 'r', '2'],
  ]);
  expect(juliet.session.stream).toBe(streams[2]);
  expect(await juliet.journal()).toEqual({ epoch: 4, handled: 0, entries: ['1 1', '2 2'] });
});

it('a number that is too high leaves the session as it is', async () => {
  const { juliet } = await start();
  await juliet.say('1');
  const tooHigh = expect.objectContaining({ condition: 'undefined-condition' });
  await expect(juliet.resume(2)).rejects.toEqual(tooHigh);
  expect([juliet.session.detached, juliet.stream.closed]).toEqual([false, false]);
  juliet.stream.break();
  await juliet.say('2'); // it was never written
  await expect(juliet.resume(2)).rejects.toEqual(tooHigh);
  expect(juliet.session.detached).toBe(true);
  expect(await juliet.resume(1)).toBe(true);
  expect(written(juliet.stream)).toEqual(['0', '2', 'r']);
});

it('a connection that is lost before it has the session leaves it waiting for another', async () => {
  const { juliet, unreliable } = await start();
  await juliet.say('1');
  const stream = new FakeStream();
  unreliable.fate = () => {
    stream.break();
    return 'done';
  };
  expect(await juliet.resume(0, stream)).toBe(false);
  expect(juliet.detachments).toEqual(['it was to be resumed']);
  expect([juliet.session.detached, juliet.session.ended, stream.sent]).toEqual([true, false, []]);
  await juliet.say('2');
  const late = new FakeStream();
  late.break();
  expect(await juliet.resume(0, late)).toBe(false);
  expect(await juliet.resume(0)).toBe(true);
  expect(juliet.detachments).toHaveLength(1);
  expect(written(juliet.stream)).toEqual(['0', '1', '2', 'r']);
});

it('a session that ends meanwhile is not resumed', async () => {
  const { juliet, unreliable } = await start();
  await juliet.say('1');
  juliet.stream.break();
  await juliet.management.settled();
  unreliable.fate = () => {
    juliet.session.end();
    return 'done';
  };
  const stream = new FakeStream();
  expect(await juliet.resume(1, stream)).toBe(false);
  expect(await juliet.resume(1, stream)).toBe(false);
  expect([juliet.ends, stream.sent, stream.closed]).toEqual([['ended by the server'], [], false]);
});

it('a session that another process has taken over is not resumed here', async () => {
  const { juliet, newStore } = await start();
  juliet.stream.break();
  await juliet.management.settled();
  const header = { handled: 0, origins: new Map() };
  await newStore().takeOver(JULIET.bare, JULIET.resource, juliet.session.sessionId, 1, header, []);
  expect(await juliet.resume(0)).toBe(false);
  expect(juliet.session.ended).toBe(true);
});

it('goes on in another process, whatever the client has got of it', async () => {
  const { juliet, newStore } = await start();
  for (const [k, id] of ['1', '2', '3'].entries()) await juliet.say(id, k + 1);
  inbound(juliet);
  juliet.stream.break();
  await juliet.management.settled();
  const again = await restored(juliet, newStore());
  expect(again.session.detached).toBe(true);
  await again.say('3', 3); // its sender sends it again
  await again.say('4', 4);
  // the client got "1" and "2", and something between them that was not worth keeping
  expect(await again.resume(3)).toBe(true);
  expect(written(again.stream)).toEqual(['1', '4', 'r']);
  expect(await again.journal()).toEqual({ epoch: 2, handled: 1, entries: ['4 4'] });
});

it('what waited in one process and was never written is written in the next one', async () => {
  const { juliet, newStore } = await start();
  juliet.stream.break();
  await juliet.say('1');
  const second = await restored(juliet, newStore());
  await second.say('2');
  const third = await restored(second, newStore());
  await third.say('3');
  expect(await third.resume(0)).toBe(true);
  expect(written(third.stream)).toEqual(['0', '1', '2', '3', 'r']);
  expect((await third.journal())?.entries).toEqual(['1 1', '2 2', '3 3']);
});

it('its numbers begin again behind the last of 32 bits', async () => {
  const { juliet, store, newStore } = await start();
  const last = 2 ** 32 - 1;
  const header = { handled: last, origins: new Map() };
  const entry = (id: string, out: number) => ({ out, origin: undefined, at: 1, text: `<message id='${id}'/>` });
  const entries = [entry('1', last - 1), entry('2', last), entry('3', 0)];
  await store.takeOver(JULIET.bare, JULIET.resource, juliet.session.sessionId, 1, header, entries);
  const again = await restored(juliet, newStore());
  expect(await again.resume(last)).toBe(true);
  expect(written(again.stream)).toEqual([String(last), '3', 'r']);
  await again.say('4');
  expect((await again.journal())?.entries).toEqual(['3 0', '4 1']);
  inbound(again);
  again.management.acknowledge(0);
  await again.management.settled();
  expect(await again.journal()).toEqual({ epoch: 3, handled: 0, entries: ['4 1'] });
  expect(() => again.management.acknowledge(2)).toThrow('You acknowledged 2 stanzas of 1.');
});

it('one that is left to another node while it is resumed says how far it came, and no more after that', async () => {
  const { juliet, newStore } = await start();
  await juliet.say('1');
  juliet.stream.break();
  await juliet.say('2');
  const stream = new FakeStream();
  const resumed = juliet.resume(1, stream);
  const left: string[] = [];
  const detach = () => {
    left.push(`detach ${written(stream).at(-2)}`);
    if (juliet.session.detached) return;
    juliet.session.release();
    juliet.session.detach('it goes elsewhere');
  };
  const gone = juliet.management.backlog.handOver(detach, () => left.push('left'));
  expect(await resumed).toBe(true);
  await gone;
  expect(left).toEqual(['detach 2', 'left']);
  expect(stream.errors).toEqual(['conflict']);
  const next = await restored(juliet, newStore());
  await expect(next.resume(3)).rejects.toThrow('You acknowledged 3 stanzas of 2.');
  expect(await next.resume(2)).toBe(true);
});

it('what a stanza changed is known with the stanza itself where the journal has to be written anew', async () => {
  const { juliet, store, unreliable } = await start();
  unreliable.fate = () => 'refused';
  juliet.session.carbons = true;
  juliet.session.receive(stanzaFromText(Buffer.from(`<iq type='set' id='1'/>`)).toElement());
  await turns();
  let writes = 0;
  unreliable.fate = () => {
    if (writes++ === 0) return 'done';
    unreliable.die();
    return 'lost';
  };
  while (writes === 0) await turns();
  await turns();
  const kept = await store.read(JULIET.bare, juliet.session.sessionId);
  expect(kept).toMatchObject({ record: { epoch: 2, carbons: true }, header: { handled: 1 } });
});

it('a number that is too high may be that of another node, which has it by now', async () => {
  const { juliet, newStore } = await start();
  await juliet.say('1');
  const other = newStore();
  const kept = await other.claim(JULIET.bare, juliet.session.sessionId);
  expect(kept?.record.epoch).toBe(2);
  expect(await juliet.resume(2)).toBe(false);
  expect(juliet.session.ended).toBe(true);
});
