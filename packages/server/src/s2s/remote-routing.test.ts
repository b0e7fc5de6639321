import { Jid } from '@parley/xmpp/jid';
import { iq, message, presence } from '@parley/xmpp/stanza';
import { describe, expect, test, vi } from 'vitest';
import {
  type FakeStream,
  LOCAL,
  RoutingWorld,
  refused,
  SETTINGS,
  seconds,
  to,
  turn,
  unknown,
  words,
} from './routing-testing.ts';

const world = new RoutingWorld();

describe('the way out', () => {
  test('is made once, and what waits goes in order before what comes later', async () => {
    for (const id of ['1', '2', '3']) await world.send(words(id));
    expect(world.attempts.length).toBe(1);
    const stream = await world.opened();
    await world.send(words('4'));
    expect(stream.sent).toEqual(['1', '2', '3', '4']);
    expect(world.routing.waiting).toEqual({ bytes: 0, stanzas: 0 });
  });

  test('waits for whoever reads slowly', async () => {
    await world.send(words('1'));
    const stream = await world.opened();
    stream.writable = false;
    for (const id of ['2', '3']) await world.send(words(id));
    expect(stream.sent).toEqual(['1']);
    stream.drained();
    expect(stream.sent).toEqual(['1', '2', '3']);
  });

  test('closes when nothing has gone for a while, and is forgotten then', async () => {
    await world.send(words('1'));
    const stream = await world.opened();
    await seconds(599);
    expect(stream.over).toBe(false);
    await seconds(5);
    expect(stream.over).toBe(true);
    expect(world.routing.queues).toEqual([]);
  });

  test('one stream too many closes the one that was idle longest', async () => {
    const streams: FakeStream[] = [];
    for (const [index, domain] of ['a.example', 'b.example', 'c.example'].entries()) {
      await world.send(words('1', domain));
      streams.push(await world.opened(index));
      await seconds(1);
    }
    expect(streams.map(({ over }) => over)).toEqual([true, false, false]);
  });
});

describe('what cannot be sent', () => {
  test('is answered once, and at once, where nobody is there', async () => {
    await world.send(words('1'));
    await world.send(iq({ from: LOCAL, to: to('remote.example'), id: '2', type: 'get' }));
    await world.send(presence({ from: LOCAL, to: to('remote.example'), id: '3' }));
    world.attempts[0]?.fail(unknown);
    await turn();
    expect(world.answers).toEqual(['1 remote-server-not-found', '2 remote-server-not-found']);
    expect(await world.conditionOf(words('4'))).toBe('remote-server-not-found');
    expect(await world.conditionOf(presence({ from: LOCAL, to: to('remote.example') }))).toBeUndefined();
    await seconds(1000);
    expect(world.answers.length).toBe(3);
    expect(world.attempts.length).toBe(1);
  });

  test('waits for further attempts, ever further apart, and is answered when its time is over', async () => {
    await world.send(words('1'));
    const at: number[] = [];
    const begun = performance.now();
    for (let n = 0; n < 70; n++) {
      const attempt = world.attempts[at.length];
      if (attempt !== undefined) {
        at.push(Math.round((performance.now() - begun) / 1000));
        attempt.fail(refused);
      }
      await seconds(1);
    }
    expect(at).toEqual([0, 2, 6, 14, 30]);
    expect(world.answers).toEqual(['1 remote-server-timeout']);
  });

  test('is refused at once while the next attempt is too far away', async () => {
    world.settings = { ...SETTINGS, firstRetryMs: 100_000 };
    await world.send(words('1'));
    world.attempts[0]?.fail(refused);
    await turn();
    expect(world.answers).toEqual(['1 remote-server-timeout']);
    expect(await world.conditionOf(words('2'))).toBe('remote-server-timeout');
    await seconds(101);
    await world.send(words('3'));
    expect(world.attempts.length).toBe(2);
  });

  test('does not wait for an attempt that never ends', async () => {
    await world.send(words('1'));
    await seconds(61);
    expect(world.answers).toEqual(['1 remote-server-timeout']);
  });

  test('is tried again, though it came after the last attempt had failed', async () => {
    world.settings = { ...SETTINGS, waitMs: 3000, firstRetryMs: 5000 };
    await world.send(words('1'));
    world.attempts[0]?.fail(refused);
    await turn();
    expect(world.answers).toEqual(['1 remote-server-timeout']); // its time is over before the next attempt
    await seconds(4);
    await world.send(words('2'));
    expect(world.attempts.length).toBe(1);
    await seconds(1);
    expect((await world.opened(1)).sent).toEqual(['2']);
  });

  test('because it is too large for the other side is answered', async () => {
    await world.send(words('huge'));
    await world.send(words('1'));
    const stream = await world.opened();
    expect(stream.sent).toEqual(['1']);
    expect(world.answers).toEqual(['huge policy-violation']);
    expect(await world.conditionOf(words('huge'))).toBe('policy-violation');
  });

  test('has a moment to arrive when the server stops, where somebody is there', async () => {
    await world.send(words('1'));
    const settled = vi.fn();
    void world.routing.settle(5000).then(settled);
    await seconds(1);
    const stream = await world.opened();
    stream.unacknowledged = 1;
    await seconds(1);
    expect(settled).not.toHaveBeenCalled();
    stream.unacknowledged = 0;
    await seconds(0.1);
    expect(settled).toHaveBeenCalled();
    await world.send(words('1', 'other.example'));
    void world.routing.settle(5000).then(settled);
    await seconds(6);
    expect(settled).toHaveBeenCalledTimes(2);
  });

  test('is no more than there is room for', async () => {
    for (const id of ['1', '2', '3', '4', '5']) await world.send(words(id));
    expect(await world.conditionOf(words('6'))).toBe('resource-constraint');
    expect(await world.conditionOf(words('1', 'other.example'))).toBeUndefined();
    world.settings = { ...SETTINGS, maxTotalBytes: 1 };
    expect(await world.conditionOf(words('2', 'other.example'))).toBe('resource-constraint');
    world.settings = { ...SETTINGS, maxBytes: 1 };
    expect(await world.conditionOf(words('2', 'other.example'))).toBe('resource-constraint');
  });
});

describe('a stream that ends', () => {
  test('has what it did not acknowledge sent again, before all else', async () => {
    await world.send(words('0'), words('1'), words('2'));
    const first = await world.opened(0, {});
    first.onAcknowledged(1);
    await seconds(20);
    first.end('reset');
    await turn();
    await world.send(words('3'));
    const second = await world.opened(1);
    expect(second.sent).toEqual(['1', '2', '3']);
  });

  test('over and over is no better than none', async () => {
    await world.send(words('1'));
    for (let n = 0; n < 3; n++) {
      const stream = await world.opened(n, {});
      stream.end('reset');
      await seconds(10);
    }
    expect(world.answers).toEqual(['1 remote-server-timeout']);
    await seconds(600);
    expect(world.attempts.length).toBe(3);
  });
});

describe('the policy', () => {
  test('is asked before anything else', async () => {
    await world.start([
      { domain: 'closed.example', allow: false },
      { domain: 'quiet.example', stanzas: ['message'] },
    ]);
    expect(await world.conditionOf(words('1', 'closed.example'))).toBe('not-allowed');
    expect(await world.conditionOf(iq({ from: LOCAL, to: to('quiet.example'), id: '1', type: 'get' }))).toBe(
      'not-allowed',
    );
    expect(await world.conditionOf(presence({ from: LOCAL, to: to('quiet.example') }))).toBe('dropped');
    expect(world.attempts).toEqual([]);
    expect(await world.conditionOf(words('1', 'quiet.example'))).toBeUndefined();
  });

  test('nobody relays for others', async () => {
    const foreign = message({ from: Jid.parse('a@other.example'), to: to('remote.example'), id: '1' });
    expect(await world.conditionOf(foreign)).toBe('dropped');
    expect(await world.conditionOf(message({ to: to('remote.example') }))).toBe('dropped');
    expect(world.attempts).toEqual([]);
  });
});
