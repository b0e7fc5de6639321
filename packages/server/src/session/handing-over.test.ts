import { openKeyspace } from '@parley/keyspace/open';
import { presence } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { describe, expect, it, onTestFinished } from 'vitest';
import { idOf, JULIET, ManagedSession } from '../../../../tests/support/managed-session.ts';
import { ResumptionStore } from './resumption/resumption-store.ts';

async function start() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const newStore = () => new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  const juliet = await new ManagedSession({ store: newStore() }).open();
  return { juliet, newStore };
}

const written = (juliet: ManagedSession) => juliet.stream.sent.map(idOf);
const inbound = (juliet: ManagedSession) =>
  juliet.session.receive(stanzaFromText(Buffer.from('<message/>')).toElement());

/** Whether it was left. */
async function handOver({ management, session, stream }: ManagedSession): Promise<boolean> {
  let left = false;
  const detach = () => {
    session.release();
    stream.break();
    session.detach('it goes');
    return session.handling;
  };
  await management.backlog.handOver(detach, () => {
    left = true;
  });
  return left;
}

describe('a session that is left to another node', () => {
  it('leaves all that was not acknowledged, and how far it had come, and writes no more', async () => {
    const { juliet, newStore } = await start();
    for (const id of ['1', '2']) await juliet.say(id);
    await juliet.session.send(presence({ from: JULIET, id: 'p' })); // in memory alone until now
    juliet.management.acknowledge(1);
    await inbound(juliet);
    expect(await handOver(juliet)).toBe(true);
    expect(await juliet.journal()).toEqual({ epoch: 2, handled: 1, entries: ['2 2', 'p 3'] });
    const kept = await newStore().claim(JULIET.bare, juliet.session.sessionId);
    expect([kept?.header.sent, kept?.record.epoch]).toEqual([3, 3]);
    await juliet.say('3');
    expect([(await juliet.journal())?.entries, written(juliet)]).toEqual([
      ['2 2', 'p 3'],
      expect.not.arrayContaining(['3']),
    ]);
    const from = { epoch: 3, header: kept?.header as never, entries: kept?.entries as never };
    const heir = new ManagedSession({ store: newStore(), from, sid: juliet.session.sessionId });
    await expect(heir.resume(4)).rejects.toMatchObject({ condition: 'undefined-condition' });
  });

  it('is not left where somebody has it already', async () => {
    const { juliet, newStore } = await start();
    await newStore().claim(JULIET.bare, juliet.session.sessionId);
    expect(await handOver(juliet)).toBe(false);
  });
});

it('is recorded as it is, once that is wanted', async () => {
  const { juliet, newStore } = await start();
  juliet.session.carbons = true;
  await juliet.management.backlog.recorded();
  expect((await newStore().find(JULIET.bare, juliet.session.sessionId))?.record.carbons).toBe(true);
  expect([juliet.faults, juliet.session.ended]).toEqual([[], false]);
});
