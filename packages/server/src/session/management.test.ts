import { openKeyspace } from '@parley/keyspace/open';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { presence } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { describe, expect, it, onTestFinished } from 'vitest';
import { idOf, JULIET, type ManagedOptions, ManagedSession, turns } from '../../../../tests/support/managed-session.ts';
import { type Fate, UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
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

/** Each write has the next of these fates; those behind them are done. */
const fates = (unreliable: UnreliableKeyspace, ...list: Fate[]) => {
  unreliable.fate = () => list.shift() ?? 'done';
};

const written = (juliet: ManagedSession) =>
  juliet.stream.sent.map((text) => (text.startsWith('<r') ? 'r' : idOf(text)));
const acks = (juliet: ManagedSession) => juliet.stream.take('a').map((text) => /h='(\d+)'/.exec(text)?.[1]);
const inbound = (juliet: ManagedSession, text = '<message/>') =>
  juliet.session.receive(stanzaFromText(Buffer.from(text)).toElement());

describe('to the client', () => {
  it('nothing is written that the journal does not have, and everything in one turn goes into one write', async () => {
    const { juliet, unreliable } = await start();
    const writes: string[] = [];
    unreliable.fate = () => {
      writes.push(written(juliet).join(' '));
      return 'done';
    };
    const taken = [juliet.say('1'), juliet.say('2'), juliet.say('3')];
    expect(written(juliet)).toEqual([]);
    await Promise.all(taken);
    expect([writes, written(juliet)]).toEqual([[''], ['1', '2', '3', 'r']]);
    expect(await juliet.journal()).toEqual({ epoch: 1, handled: 0, entries: ['1 1', '2 2', '3 3'] });
  });

  it('what need not be kept is written at once, but waits behind what must be', async () => {
    const { juliet } = await start();
    const here = presence({ from: JULIET, id: 'p' });
    await juliet.session.send(here);
    expect(written(juliet)).toEqual(['p', 'r']);
    const taken = juliet.say('1');
    await juliet.session.send(here);
    expect(written(juliet)).toEqual(['p', 'r']);
    await taken;
    expect(written(juliet)).toEqual(['p', 'r', '1', 'p']);
    expect((await juliet.journal())?.entries).toEqual(['1 2']);
  });

  it('what comes while one write is under way is all in the next one, and waits for that alone', async () => {
    const { juliet, unreliable } = await start();
    let count = 0;
    const order: string[] = [];
    const note = (name: string) => () => void order.push(`${name} after ${count}`);
    unreliable.fate = () => {
      count++;
      // one stanza comes while each of the first writes is under way: nobody waits for all of them
      if (count < 5) void juliet.say(`during ${count}`).then(note(`during ${count}`));
      return 'done';
    };
    await juliet.say('1').then(note('1'));
    await turns();
    // when it is told, the next write has begun
    expect(order).toEqual([
      '1 after 2',
      'during 1 after 3',
      'during 2 after 4',
      'during 3 after 5',
      'during 4 after 5',
    ]);
  });

  it('the client is asked once at a time, and again only where more was written meanwhile', async () => {
    const { juliet } = await start();
    await juliet.say('1');
    await juliet.say('2');
    expect(written(juliet)).toEqual(['1', 'r', '2']);
    juliet.management.acknowledge(1);
    expect(written(juliet)).toEqual(['1', 'r', '2', 'r']);
    juliet.management.acknowledge(1); // a client that never gets on is not asked without end
    juliet.management.acknowledge(1);
    expect(written(juliet)).toEqual(['1', 'r', '2', 'r']);
    await juliet.say('3');
    expect(written(juliet)).toEqual(['1', 'r', '2', 'r', '3', 'r']);
    juliet.management.acknowledge(3);
    expect(written(juliet)).toHaveLength(6);
  });

  it('what was acknowledged leaves the journal, and is known again', async () => {
    const { juliet, store } = await start();
    for (const [id, k] of [
      ['1', 5],
      ['2', 6],
      ['3', 7],
    ] as const)
      await juliet.say(id, k);
    juliet.management.acknowledge(2);
    await juliet.management.settled();
    expect((await juliet.journal())?.entries).toEqual(['3 3']);
    const kept = await store.read(JULIET.bare, juliet.session.sessionId);
    expect([...(kept?.header.origins ?? [])]).toEqual([[`${'a'.repeat(16)}.0`, 6]]);
    await juliet.say('2', 6);
    await juliet.say('3', 7);
    expect(written(juliet)).toEqual(['1', 'r', '2', '3', 'r']);
  });

  it('what a stanza changed is written before it is known to be handled', async () => {
    const { juliet, store } = await start();
    const writes: string[] = [];
    for (const name of ['update', 'write'] as const) {
      const write = store[name].bind(store) as (...args: unknown[]) => Promise<boolean>;
      store[name] = (...args: unknown[]) => {
        writes.push(name);
        return write(...args);
      };
    }
    await juliet.session.receive(Element.of('presence', NS.client));
    await juliet.management.settled();
    expect(writes).toEqual(['update', 'write']);
  });

  it('more than was written ends in an error that says so', async () => {
    const { juliet } = await start();
    await juliet.say('1');
    expect(() => juliet.management.acknowledge(2)).toThrow(
      expect.objectContaining({ condition: 'undefined-condition' }),
    );
    expect(juliet.management.backlog.unacknowledgedSince).toBeGreaterThan(0);
  });

  it.each([
    ['unacknowledged-stanzas', { maxStanzas: 2, maxBytes: 1e6 }],
    ['unacknowledged-bytes', { maxStanzas: 100, maxBytes: 150 }],
  ])('too much ends the session: %s; nothing of it is lost', async (limit, limits) => {
    const { juliet } = await start({ limits });
    const taken = [juliet.say('1'), juliet.say('2'), juliet.say('3')];
    expect([juliet.session.ended, juliet.stream.closed, juliet.stream.limits]).toEqual([true, true, [limit]]);
    await Promise.all(taken);
    await juliet.management.settled();
    expect((await juliet.journal())?.entries).toEqual(['1 1', '2 2', '3 3']);
    expect(juliet.management.backlog.takeAll().map(({ text, ready }) => [idOf(text), ready])).toEqual([
      ['1', true],
      ['2', true],
      ['3', true],
    ]);
    await juliet.say('4');
    expect(juliet.late).toHaveLength(1);
  });

  it('half of what may wait is enough for those who can wait, until it is acknowledged', async () => {
    const { juliet } = await start({ limits: { maxStanzas: 4, maxBytes: 1e6 } });
    const full: boolean[] = [];
    for (const id of ['1', '2', '3', '4']) {
      await juliet.say(id);
      full.push(juliet.management.full);
    }
    expect(full).toEqual([false, false, true, true]);
    juliet.management.acknowledge(1);
    expect([juliet.management.full, juliet.drains]).toEqual([true, 0]);
    juliet.management.acknowledge(2);
    juliet.management.acknowledge(3);
    expect([juliet.management.full, juliet.drains]).toEqual([false, 1]);
    for (const id of ['5', '6']) await juliet.say(id);
    juliet.stream.break();
    await juliet.resume(6);
    expect([juliet.management.full, juliet.drains]).toEqual([false, 2]);
  });

  it('a session that cannot be resumed keeps nothing in the keyspace', async () => {
    const { juliet, unreliable } = await start({ maxSeconds: 0 });
    unreliable.fate = () => expect.fail('a write');
    expect(juliet.session.send(presence({ id: 'p' }))).toBeUndefined();
    await juliet.say('1');
    inbound(juliet);
    juliet.management.answer();
    juliet.management.acknowledge(1);
    await juliet.management.settled();
    expect(written(juliet).slice(0, 3)).toEqual(['p', 'r', '1']);
    expect(acks(juliet)).toEqual(['1']);
    juliet.stream.break();
    expect([juliet.session.ended, juliet.ends]).toEqual([true, ['lost']]);
    expect(juliet.management.backlog.takeAll().map(({ text }) => idOf(text))).toEqual(['1']);
  });
});

describe('from the client', () => {
  it('nothing is acknowledged before the journal knows of it', async () => {
    const { juliet } = await start();
    inbound(juliet);
    inbound(juliet);
    juliet.management.answer();
    expect(acks(juliet)).toEqual([]);
    await turns();
    expect(acks(juliet)).toEqual(['2']);
    expect((await juliet.journal())?.handled).toBe(2);
    juliet.management.answer();
    expect(acks(juliet)).toEqual(['2']); // nothing has changed
  });

  it('requests during one write are answered together, by the newest number', async () => {
    const { juliet } = await start();
    inbound(juliet);
    juliet.management.answer();
    inbound(juliet);
    for (let i = 0; i < 100; i++) juliet.management.answer();
    await turns();
    expect(acks(juliet)).toEqual(['2', '2']);
    inbound(juliet);
    juliet.management.answer();
    await Promise.resolve();
    await Promise.resolve(); // now the write is under way
    inbound(juliet);
    for (let i = 0; i < 100; i++) juliet.management.answer();
    await turns();
    expect(acks(juliet)).toEqual(['3', '4']);
  });

  it('a stanza counts once what it brought about is done, an improper one, too', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { juliet } = await start({ process: () => promise });
    const done = inbound(juliet);
    await turns();
    expect(juliet.management.nextInbound).toBe(1);
    resolve();
    await done;
    expect(juliet.management.nextInbound).toBe(2);
    await juliet.session.receive(stanzaFromText(Buffer.from('<message/>')).toElement());
    expect(juliet.management.nextInbound).toBe(3);
  });

  it('an error that answers an improper stanza is counted as all that is written', async () => {
    const { juliet } = await start();
    await juliet.session.receive(new Element('message', NS.client, ['to', '@', 'id', '1'], []));
    expect(written(juliet)).toEqual(['1', 'r']);
    juliet.management.acknowledge(1);
  });

  it('what is not a message may change what is known of the session', async () => {
    const { juliet, store, unreliable } = await start();
    juliet.session.carbons = true;
    inbound(juliet);
    await juliet.management.settled();
    const carbons = async () => (await store.read(JULIET.bare, juliet.session.sessionId))?.record.carbons;
    expect(await carbons()).toBe(false);
    inbound(juliet, `<iq type='set' id='1'/>`);
    await juliet.management.settled();
    expect(await carbons()).toBe(true);
    // one that changes nothing is only counted
    let writes = 0;
    unreliable.fate = () => {
      writes++;
      return 'done';
    };
    inbound(juliet, `<iq type='get' id='2'/>`);
    await juliet.management.settled();
    expect(writes).toBe(1);
    await juliet.management.settled();
    expect(writes).toBe(1);
  });

  it('what is appended for the client does not cost a write for what it has sent', async () => {
    const { juliet, unreliable } = await start();
    inbound(juliet);
    let writes = 0;
    unreliable.fate = () => {
      writes++;
      return 'done';
    };
    await juliet.say('1');
    expect([writes, (await juliet.journal())?.handled]).toEqual([1, 0]);
    juliet.management.answer();
    await turns();
    expect([writes, (await juliet.journal())?.handled]).toEqual([2, 1]);
  });
});

describe('a keyspace that fails', () => {
  it.each<[Fate]>([['refused'], ['lost'], ['unanswered'], ['late']])(
    'once (%s): the journal is written anew, and has everything once',
    async (fate) => {
      const { juliet, unreliable } = await start();
      await juliet.say('1');
      inbound(juliet);
      fates(unreliable, fate);
      await Promise.all([juliet.say('2'), juliet.say('3')]);
      await unreliable.arrive();
      const epoch = 2;
      expect(await juliet.journal()).toEqual({ epoch, handled: 1, entries: ['1 1', '2 2', '3 3'] });
      expect(written(juliet)).toEqual(['1', 'r', '2', '3']);
      juliet.management.acknowledge(2);
      await juliet.say('4');
      await juliet.management.settled();
      expect(await juliet.journal()).toEqual({ epoch, handled: 1, entries: ['3 3', '4 4'] });
    },
  );

  it('again and again: everything waits, in order', async () => {
    const { juliet, unreliable } = await start();
    let down = true;
    unreliable.fate = () => (down ? 'refused' : 'done');
    const taken = ['1', '2', '3'].map((id) => juliet.say(id));
    await turns(50);
    taken.push(juliet.say('4'));
    await turns(50);
    expect(written(juliet)).toEqual([]);
    down = false;
    await Promise.all(taken);
    expect(written(juliet)).toEqual(['1', '2', '3', 'r', '4']);
    expect((await juliet.journal())?.entries).toEqual(['1 1', '2 2', '3 3', '4 4']);
  });

  it('while the journal is written anew: what comes and what is acknowledged meanwhile is not lost', async () => {
    const gate = Promise.withResolvers<void>();
    const { juliet, unreliable } = await start({ again: () => gate.promise });
    await juliet.say('1');
    fates(unreliable, 'late');
    const taken = [juliet.say('2')];
    await turns();
    juliet.management.acknowledge(1);
    taken.push(juliet.say('3'));
    gate.resolve();
    await Promise.all(taken);
    juliet.management.acknowledge(2);
    await juliet.management.settled();
    await unreliable.arrive();
    expect(await juliet.journal()).toEqual({ epoch: 2, handled: 0, entries: ['3 3'] });
  });

  it('between two attempts to write it anew, too, though it is known to be done then', async () => {
    const { juliet, unreliable } = await start();
    await juliet.say('1', 1);
    await juliet.say('2', 2);
    fates(unreliable, 'refused', 'unanswered');
    const taken = juliet.say('3', 3);
    unreliable.fate = ((before) => () => {
      const fate = before();
      if (fate === 'unanswered') queueMicrotask(() => juliet.management.acknowledge(2));
      return fate;
    })(unreliable.fate);
    await taken;
    await juliet.management.settled();
    expect([juliet.session.ended, await juliet.journal()]).toEqual([false, { epoch: 2, handled: 0, entries: ['3 3'] }]);
  });

  it('a takeover whose outcome is unknown, too, is tried until it is known', async () => {
    const { juliet, unreliable } = await start();
    fates(unreliable, 'lost', 'unanswered', 'late', 'lost');
    await juliet.say('1');
    await juliet.say('2');
    await unreliable.arrive();
    expect(await juliet.journal()).toEqual({ epoch: 2, handled: 0, entries: ['1 1', '2 2'] });
    expect([juliet.session.ended, juliet.faults]).toEqual([false, []]);
  });

  it('for good, as the node stops: nothing rejects', async () => {
    const { juliet, unreliable } = await start();
    inbound(juliet);
    await unreliable.keyspace.close();
    const taken = juliet.say('1');
    juliet.management.answer();
    juliet.stream.break();
    await taken;
    await juliet.management.settled();
    expect([juliet.faults, juliet.session.ended, acks(juliet)]).toEqual([[], false, []]);
  });

  it('with a fault of ours: it is told, and the session ends', async () => {
    const { juliet, store } = await start();
    store.write = () => Promise.reject(new TypeError('a bug'));
    void juliet.say('1');
    await turns();
    expect(juliet.faults).toEqual([new TypeError('a bug')]);
    expect(juliet.session.ended).toBe(true);
    expect(juliet.management.backlog.takeAll().map(({ ready }) => ready)).toEqual([false]);
  });

  it('the session is somebody else’s: it ends here', async () => {
    const { juliet, newStore } = await start();
    const header = { handled: 7, origins: new Map() };
    await newStore().takeOver(JULIET.bare, JULIET.resource, juliet.session.sessionId, 1, header, []);
    void juliet.say('1');
    await turns();
    expect([juliet.session.ended, juliet.stream.closed, written(juliet)]).toEqual([true, true, []]);
    expect(await juliet.journal()).toEqual({ epoch: 2, handled: 7, entries: [] });
    expect(juliet.management.backlog.takeAll().map(({ ready }) => ready)).toEqual([false]);
  });
});
