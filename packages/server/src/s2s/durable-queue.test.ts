import { Element } from '@parley/xmpp/element';
import { iq, message, presence } from '@parley/xmpp/stanza';
import { describe, expect, test } from 'vitest';
import { queueIndexKeys, queueKeys } from '../session/resumption/resumption-keys.ts';
import { LOCAL, RoutingWorld, refused, SETTINGS, seconds, to, turn, words } from './routing-testing.ts';

const world = new RoutingWorld();
const REMOTE = to('remote.example');
const SENDER = '00000000000000aa';

const numbered = (id: string, k: number) => words(id).withOrigin({ sid: SENDER, k, effect: 0 });
const recorded = () => world.keyspace.hlen(queueKeys.key('remote.example'));

describe('what waits when its node is killed', () => {
  test('goes out from the next one, in order, and only once', async () => {
    await world.send(words('1'), words('2'));
    await world.restart();
    await world.send(words('3'));
    expect(world.attempts.length).toBe(1);
    expect((await world.opened(0, { id: 'a' })).sent).toEqual(['1', '2', '3']);
    expect(world.answers).toEqual([]);
  });

  test('holds what a client counts on: messages, subscriptions and requests', async () => {
    const text = (size: number) => Element.of('a', 'urn:a', {}, 'x'.repeat(size));
    await world.send(
      presence({ from: LOCAL.bare, to: REMOTE.bare, id: 'p', type: 'subscribe' }),
      iq({ from: LOCAL, to: REMOTE, id: 'q', type: 'get' }, text(10_000)),
      iq({ from: LOCAL, to: REMOTE, id: 'r', type: 'result' }, text(10)),
    );
    await world.send(
      presence({ from: LOCAL, to: REMOTE, id: 'here' }),
      iq({ from: LOCAL, to: REMOTE, id: 'large', type: 'result' }, text(10_000)),
    );
    await world.restart();
    expect((await world.opened()).sent).toEqual(['p', 'q', 'r']);
  });

  test('is known again when its sender sends it again', async () => {
    await world.send(numbered('1', 1), numbered('2', 2));
    await world.restart();
    await world.send(numbered('2', 2), numbered('3', 3));
    const stream = await world.opened(0, { id: 'a' });
    stream.onAcknowledged(3);
    await seconds(1); // the journal has let go of them
    await world.restart();
    await world.send(numbered('3', 3), numbered('4', 4));
    expect((await world.opened()).sent).toEqual(['4']);
  });

  test('is known again of hundreds of senders', async () => {
    world.settings = { ...SETTINGS, maxStanzas: 1000, maxBytes: 1_000_000, maxTotalBytes: 1_000_000 };
    const all = Array.from({ length: 500 }, (_, n) => {
      const sid = n.toString(16).padStart(16, '0');
      return words(String(n)).withOrigin({ sid, k: 1, effect: 0 });
    });
    await world.send(...all);
    const stream = await world.opened(0, { id: 'a' });
    stream.onAcknowledged(500);
    await seconds(1);
    await world.restart();
    await world.send(...all, words('new'));
    expect((await world.opened()).sent).toEqual(['new']);
  });
});

describe('what was written', () => {
  test('to a server that does not acknowledge is done with after a moment', async () => {
    await world.send(words('1'));
    await world.opened();
    await seconds(4);
    await world.send(words('2'));
    await world.restart();
    await world.send(words('3'));
    expect((await world.opened()).sent).toEqual(['2', '3']); // killed before it was
  });

  test('to such a server, and not so long ago, is sent again when its stream ends', async () => {
    await world.send(words('1'));
    const stream = await world.opened();
    await seconds(4);
    await world.send(words('2'), words('3'));
    await seconds(1);
    await world.send(words('4'));
    stream.end('reset');
    await seconds(5);
    expect((await world.opened(1)).sent).toEqual(['2', '3', '4']);
  });

  test('to such a server is as much as nothing while it does not read', async () => {
    await world.send(words('1'));
    const stream = await world.opened();
    stream.writable = false;
    await seconds(30);
    stream.end('reset');
    await seconds(5);
    expect((await world.opened(1)).sent).toEqual(['1']);
  });

  test('to a server that reads nothing waits no longer than its answers may take', async () => {
    await world.send(words('1'));
    const stream = await world.opened();
    stream.writable = false;
    await world.send(words('2'));
    await seconds(80);
    expect(stream.over).toBe(false);
    await seconds(15);
    expect(stream.over).toBe(true);
    stream.drained();
  });

  test.each([
    ['an administrator', () => void world.routing.close('remote.example', 'closed')],
    ['the node that ends', () => world.routing.stop()],
  ])('to such a server is done with where %s closes the stream', async (_, close) => {
    await world.send(words('1'));
    await world.opened();
    await close();
    await seconds(1);
    await world.restart();
    expect(world.attempts).toEqual([]);
  });

  test('to such a server is kept in no more than some memory', async () => {
    world.settings = { ...SETTINGS, maxStanzas: 10_000, maxBytes: 10_000_000, maxTotalBytes: 10_000_000 };
    await world.send(...Array.from({ length: 2500 }, (_, n) => words(String(n))));
    const stream = await world.opened();
    await seconds(1);
    stream.end('reset');
    await seconds(5);
    const { sent } = await world.opened(1);
    expect([sent.length, sent.at(-1)]).toEqual([2000, '2499']);
  });

  test('and not acknowledged is sent again to a server that does not keep the stream', async () => {
    await world.send(words('1'), words('2'));
    const stream = await world.opened(0, {});
    stream.onAcknowledged(1);
    await seconds(1);
    await world.restart();
    expect(world.attempts[0]?.previous).toBeUndefined();
    expect((await world.opened(0, {})).sent).toEqual(['2']);
  });

  test.each([
    ['here', async () => {}],
    ['from the node that took over', () => world.restart()],
  ])('follows the number up to which it was handled where the stream is resumed, %s', async (_, before) => {
    await world.send(words('0'));
    const first = await world.opened(0, { id: 'a' });
    first.onAcknowledged(1);
    await world.send(words('1'), presence({ from: LOCAL, to: REMOTE, id: 'p' }), words('2'), words('3'));
    await seconds(20);
    if (world.attempts.length === 1) first.end('reset');
    await turn();
    world.attempts.splice(0, 1);
    await before();
    await world.send(words('4'));
    expect(world.attempts[0]?.previous).toBe('a');
    // it has handled 0, 1 and p
    const second = await world.opened(0, { id: 'a', resumedAt: 3 });
    expect(second.sent).toEqual(['2', '3', '4']);
    second.onAcknowledged(2);
    await seconds(1);
    await world.restart();
    expect((await world.opened(0, { id: 'a', resumedAt: 5 })).sent).toEqual(['4']);
  });

  test('is sent from where the other side had come on a stream that it did not keep, if it says so', async () => {
    await world.send(words('1'), words('2'), words('3'));
    await world.opened(0, { id: 'a' });
    await world.restart();
    expect((await world.opened(0, { id: 'b', handledBefore: 2 })).sent).toEqual(['3']);
    await seconds(20);
    world.routing.close('remote.example', 'to be opened anew');
    await turn();
    expect(world.attempts[1]?.previous).toBe('b');
    expect((await world.opened(1, { id: 'c', handledBefore: 7 })).sent).toEqual(['3']); // it was sent one
  });

  test.each([
    ['more than it was sent', 7],
    ['less than can be', 2 ** 31 + 2],
  ])('is all sent again where the other side says that it has handled %s', async (_, resumedAt) => {
    await world.send(words('1'));
    const first = await world.opened(0, { id: 'a' });
    await seconds(20);
    first.end('reset');
    await turn();
    const second = await world.opened(1, { id: 'a', resumedAt });
    expect([second.over, second.sent]).toEqual([true, []]);
    await seconds(10);
    expect(world.attempts[2]?.previous).toBeUndefined();
    expect((await world.opened(2, { id: 'b' })).sent).toEqual(['1']);
  });
});

describe('what was written and is not sent again leaves its number to nobody', () => {
  const state = (id: string) => presence({ from: LOCAL, to: REMOTE, id });

  test.each([
    ['here', async () => {}],
    ['from the node that took over', () => world.restart()],
  ])('where the stream is resumed, %s', async (_, before) => {
    await world.send(words('0'));
    const first = await world.opened(0, { id: 'a' });
    first.onAcknowledged(1);
    await world.send(state('p'), words('2'), state('q'), words('3'));
    expect(first.sent).toEqual(['0', 'p', '2', 'q', '3']);
    await seconds(20);
    first.end('reset');
    await turn();
    world.attempts.splice(0, 1);
    await before();
    await world.send(state('r'));
    const second = await world.opened(0, { id: 'a', resumedAt: 1 });
    expect(second.sent).toEqual(['nothing', '2', 'nothing', '3', 'r']);
  });
});

test('what is not acknowledged takes only so much memory: what comes then waits', async () => {
  const state = (id: string) => presence({ from: LOCAL, to: REMOTE, id });
  const large = (n: number) => state(`${n}${'x'.repeat(4_194_304)}`);
  await world.send(words('0'));
  const stream = await world.opened(0, { id: 'a' });
  await world.send(large(1), large(2), large(3), large(4), state('5'));
  expect(stream.sent.map((id) => id[0])).toEqual(['0', '1', '2', '3', '4']);
  expect(world.routing.waiting.stanzas).toBe(1);
  stream.onAcknowledged(2);
  expect(stream.sent.at(-1)).toBe('5');
});

describe('presence that waits', () => {
  const state = (id: string, type?: 'unavailable' | 'probe', to = REMOTE) => presence({ from: LOCAL, to, id, type });

  test('says what is so in the end', async () => {
    await world.send(
      state('here'),
      state('probe', 'probe'),
      words('1'),
      state('away'),
      state('elsewhere', undefined, REMOTE.withResource('a')),
      state('gone', 'unavailable'),
    );
    expect((await world.opened()).sent).toEqual(['probe', '1', 'elsewhere', 'gone']);
  });

  test('for long says only that somebody has gone', async () => {
    await world.send(state('here'), state('probe', 'probe'), words('1'), state('gone', 'unavailable', REMOTE.bare));
    await seconds(31);
    expect((await world.opened()).sent).toEqual(['1', 'gone']);
  });
});

test('a stream is looked after, so that the other side does not take it for dead', async () => {
  await world.send(words('1'));
  const stream = await world.opened(0, { id: 'a' });
  await seconds(5);
  expect(stream.kept).toBe(5);
});

describe('a stream that was lost', () => {
  test.each([
    ['goes on where something is not acknowledged', 0, 'a'],
    ['is nothing that anybody needs where all is', 1, undefined],
  ])('%s', async (_, acknowledged, previous) => {
    await world.send(words('1'));
    const stream = await world.opened(0, { id: 'a' });
    stream.onAcknowledged(acknowledged);
    await seconds(20);
    stream.end('reset');
    await turn();
    void world.routing.connect('local.example', 'remote.example');
    await turn();
    expect(world.attempts[1]?.previous).toBe(previous);
  });
});

describe('a queue', () => {
  test('is recorded as long as something of it matters', async () => {
    await world.send(words('1'));
    expect(await recorded()).toBe(1);
    await world.opened();
    await seconds(610);
    expect(await recorded()).toBe(0);
    const index = Array.from({ length: 1024 }, (_, partition) => queueIndexKeys.key(String(partition)));
    expect((await Promise.all(index.map((key) => world.keyspace.smembers(key)))).flat()).toEqual([]);
    await world.send(words('2'));
    expect((await world.opened(1)).sent).toEqual(['2']);
  });

  test('that a server in order leaves stays for the next one', async () => {
    world.settings = { ...SETTINGS, idleMs: 1000 };
    await world.send(words('1'));
    world.attempts[0]?.fail(refused);
    await world.routing.stop();
    expect([world.answers, await recorded()]).toEqual([[], 1]);
    await world.restart();
    expect((await world.opened()).sent).toEqual(['1']);
  });

  test.each([
    ['a', true],
    [undefined, false],
  ])('leaves a stream that can be resumed (%s) to whoever comes next', async (id, abandoned) => {
    await world.send(words('1'));
    const stream = await world.opened(0, { id });
    await world.routing.stop();
    expect([stream.over, stream.abandoned]).toEqual([true, abandoned]);
  });

  test('for a domain that is ours by now is routed to whoever it is for', async () => {
    await world.send(words('1'), words('2'));
    world.ours.add('remote.example');
    await world.restart();
    expect([world.routed, world.attempts, await recorded()]).toEqual([['1', '2'], [], 0]);
  });

  test('from a domain that is not ours any more says nothing in its name', async () => {
    await world.send(words('1'));
    world.ours.delete('local.example');
    await world.restart();
    expect([world.answers, world.attempts]).toEqual([['1 not-allowed'], []]);
  });

  test('that the keyspace has lost goes on as another one', async () => {
    await world.send(words('1'));
    await world.keyspace.del(queueKeys.key('remote.example'));
    const store = await world.keyspace.hlen(queueKeys.key('remote.example'));
    expect(store).toBe(0);
    await world.opened(0, { id: 'a' }); // nothing may be written by somebody who does not own it
    const last = world.attempts.length - 1;
    expect((await world.opened(last, { id: 'b' })).sent).toEqual(['1']);
  });
});

test('a stanza that tells only of a moment is gone with its node', async () => {
  const composing = Element.of('composing', 'http://jabber.org/protocol/chatstates');
  await world.send(message({ from: LOCAL, to: REMOTE, id: 'typing' }, composing));
  await world.restart();
  expect(world.attempts).toEqual([]);
});

describe('a message that nobody was told to be safe', () => {
  const open = async (management = { id: 'a' }) => {
    await world.send(words('0'));
    const stream = await world.opened(0, management);
    stream.onAcknowledged(1);
    await seconds(1);
    return stream;
  };

  test('is written at once, and the journal gets it when its stream ends before it is acknowledged', async () => {
    const stream = await open();
    expect(world.routing.send(words('1'))).toBeUndefined();
    expect(world.routing.send(words('2'))).toBeUndefined();
    expect(stream.sent).toEqual(['0', '1', '2']);
    stream.onAcknowledged(1);
    stream.end('it is lost');
    await turn();
    await world.restart();
    expect((await world.opened(0, { id: 'b' })).sent).toEqual(['2']);
  });

  test('is in the journal, too, when its node has stopped', async () => {
    await open();
    await world.send(words('1'));
    await world.routing.stop();
    await world.start();
    await turn();
    expect((await world.opened(1, { id: 'b' })).sent).toEqual(['1']);
  });

  test('goes out behind what came before it', async () => {
    const stream = await open();
    const first = world.routing.send(numbered('1', 1));
    expect(world.routing.send(words('2'))).toBeUndefined();
    expect(stream.sent).toEqual(['0']);
    await first;
    await turn();
    expect(stream.sent).toEqual(['0', '1', '2']);
  });

  test.each([
    ['it answers', message({ from: LOCAL, to: REMOTE, id: '1', type: 'error' })],
    ['it is a subscription', presence({ from: LOCAL.bare, to: REMOTE.bare, id: '1', type: 'subscribed' })],
  ])('but not where %s', async (_, stanza) => {
    await open();
    await world.send(stanza);
    await world.restart();
    expect((await world.opened(0, { id: 'b' })).sent).toEqual(['1']);
  });
});
