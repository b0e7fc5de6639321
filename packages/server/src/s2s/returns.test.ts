import type { Origin } from '@parley/xmpp/stanza';
import { describe, expect, test, vi } from 'vitest';
import { Origins } from '../session/origins.ts';
import { RoutingWorld, SETTINGS, seconds, turn, unknown, words } from './routing-testing.ts';

const world = new RoutingWorld();

describe('what waits when its node is killed', () => {
  test('comes back when its time is over, which goes on meanwhile', async () => {
    await world.send(words('1'));
    await seconds(50);
    await world.restart();
    await seconds(9);
    expect(world.answers).toEqual([]);
    await seconds(2);
    expect(world.answers).toEqual(['1 remote-server-timeout']);
    await world.restart();
    expect([world.attempts.length, world.answers.length]).toEqual([0, 1]);
  });

  test('comes back once more, as the same, where nobody knows whether it had come back', async () => {
    let arrived = () => {};
    world.answered = new Promise((resolve) => {
      arrived = resolve;
    });
    await world.send(words('1'), words('2'));
    world.attempts[0]?.fail(unknown);
    await world.restart();
    world.answered = undefined;
    world.attempts[0]?.fail(unknown);
    await turn();
    expect(world.answers).toEqual([1, 2, 1, 2].map((id) => `${id} remote-server-not-found`));
    const [one, two, ...again] = world.origins;
    expect(again).toEqual([one, two]);
    expect(one?.k).not.toBe(two?.k);
    arrived();
    await world.restart();
    expect(world.attempts).toEqual([]);
  });

  test('comes back to each sender in small parts, so that its session knows all that may come once more', async () => {
    let arrived = () => {};
    const wait = () => {
      world.answered = new Promise((resolve) => {
        arrived = resolve;
      });
    };
    world.settings = { ...SETTINGS, maxStanzas: 100 };
    const ids = Array.from({ length: 30 }, (_, n) => String(n));
    await world.send(...ids.map((id) => words(id)));
    const recipient = new Origins();
    const heard: string[] = [];
    const hear = () => {
      const said = world.answers.splice(0).map((answer) => answer.split(' ')[0] as string);
      const origins = world.origins.splice(0) as Origin[];
      heard.push(...said.filter((_, place) => recipient.add(origins[place] as Origin)));
      return said.length;
    };
    for (let deaths = 0; heard.length < 30; deaths++) {
      expect(deaths).toBeLessThan(30);
      wait();
      world.attempts[0]?.fail(unknown);
      await turn();
      expect(hear()).toBe(Math.min(4, 30 - heard.length + 4)); // the node dies while these are under way
      if (deaths % 2 === 0) {
        const first = arrived;
        wait();
        first(); // and so for the next ones, where it lives on
        await turn();
        hear();
      }
      await world.restart();
    }
    expect(heard).toEqual(ids);
  });

  test('comes back twice to who has said the same twice', async () => {
    await world.send(words('1'), words('1'));
    world.attempts[0]?.fail(unknown);
    await turn();
    expect(new Set(world.origins.map((origin) => origin?.k)).size).toBe(2);
  });

  test('comes back where its time is over, and does not go out, though the other server is there by now', async () => {
    await world.send(words('1'));
    await seconds(59);
    const before = world.restart();
    await before;
    await world.send(words('2'));
    vi.setSystemTime(Date.now() + 2000); // before anything else looks at the clock
    expect((await world.opened()).sent).toEqual(['2']);
    expect(world.answers).toEqual(['1 remote-server-timeout']);
  });

  test('and was on a stream that can be resumed waits for what that tells', async () => {
    await world.send(words('1'), words('2'));
    await world.opened(0, { id: 'a' });
    await seconds(70);
    await world.restart();
    await seconds(2);
    expect(world.answers).toEqual([]);
    const stream = await world.opened(0, { id: 'a', resumedAt: 1 });
    expect([stream.sent, world.answers]).toEqual([['2'], []]);
  });

  test('does not wait for an answer that gets stuck', async () => {
    world.answered = new Promise(() => {});
    await world.send(words('1'));
    world.attempts[0]?.fail(unknown);
    await seconds(11);
    await world.restart();
    expect(world.attempts).toEqual([]);
  });
});

test('what comes back from the midst of others leaves those as they are', async () => {
  await world.send(words('1'), words('huge'), words('2'));
  const stream = await world.opened(0, { id: 'a' });
  expect([stream.sent, world.answers]).toEqual([['1', '2'], ['huge policy-violation']]);
  stream.onAcknowledged(1);
  await seconds(1);
  await world.restart();
  expect((await world.opened(0, { id: 'a', resumedAt: 1 })).sent).toEqual(['2']);
});

test("what comes back while the rest is written anew takes nobody's place on the stream", async () => {
  await world.send(words('1'), words('2'));
  const stream = await world.opened(0, { id: 'a' });
  stream.writable = false;
  await world.send(words('3'));
  await seconds(55);
  await world.send(words('4'));
  world.answered = new Promise(() => {});
  await seconds(6);
  expect(world.answers).toEqual(['3 remote-server-timeout']);
  stream.end('reset');
  await turn();
  await world.opened(1, { id: 'b' }); // what it writes to the journal has the number of each
  await world.restart();
  const next = await world.opened(0, { id: 'b', resumedAt: 2 });
  expect(next.sent).toEqual(['4']);
});

test('what is acknowledged while others come back is not taken for what comes back', async () => {
  let arrived = () => {};
  world.answered = new Promise((resolve) => {
    arrived = resolve;
  });
  await world.send(words('1'), words('2'));
  const stream = await world.opened(0, { id: 'a' });
  stream.writable = false; // the other side does not read any more
  await world.send(words('3'));
  await seconds(55);
  await world.send(words('4'));
  await seconds(6);
  expect(world.answers).toEqual(['3 remote-server-timeout']);
  stream.onAcknowledged(1);
  arrived();
  await seconds(1);
  await world.restart();
  expect((await world.opened(0, { id: 'a', resumedAt: 1 })).sent).toEqual(['2', '4']);
  expect(world.answers.length).toBe(1);
});
