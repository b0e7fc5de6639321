import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAnnouncement, readChanges } from './announcement.ts';
import { type SimulatedMember, SimulatedNetwork, sessionOf } from './simulated-members.ts';

const A = '000000000000000a';
const B = '000000000000000b';
const C = '000000000000000c';
const LARGE = 'x'.repeat(100_000);

let network: SimulatedNetwork;
let one: SimulatedMember;
let two: SimulatedMember;

const turn = () => vi.advanceTimersByTime(0);
/** What `two` knows of `one`. */
const versions = () => [...two.view('one').values()].map(({ sid, boundAt }) => [sid, boundAt]);
const sid = (number: number) => number.toString(16).padStart(16, '0');

beforeEach(() => {
  vi.useFakeTimers();
  vi.advanceTimersByTime(60_000); // the process has been up for a while
  network = new SimulatedNetwork(turn);
  one = network.add('one');
  two = network.add('two');
});
afterEach(() => {
  for (const { announcements } of network.members.values()) announcements.stop();
  vi.useRealTimers();
});

describe('changes of our sessions', () => {
  it('of one turn are one broadcast with a record for each session, as it is at the end', () => {
    one.set(sessionOf(A, { boundAt: 1 }));
    one.set(sessionOf(B));
    one.set(sessionOf(A, { boundAt: 2 }));
    one.delete(B);
    turn();
    const [body = Buffer.of(), ...others] = network.bodiesFor(two);
    expect(others).toEqual([]);
    expect(openAnnouncement(body).number).toBe(1);
    expect(readChanges(openAnnouncement(body))).toEqual([{ put: sessionOf(A, { boundAt: 2 }) }, { removed: B }]);
  });

  it('of later turns get the numbers that follow, and beats bear the last of them', () => {
    one.announcements.beat();
    one.set(sessionOf(A));
    turn();
    one.set(sessionOf(A));
    turn();
    one.announcements.beat();
    const read = network.bodiesFor(two).map(openAnnouncement);
    expect(read.map(({ kind, number }) => [kind, number])).toEqual([
      ['beat', 0],
      ['changes', 1],
      ['changes', 2],
      ['beat', 2],
    ]);
  });

  it('are split at 256 KB', () => {
    for (const id of [A, B, C]) one.set(sessionOf(id, { presence: LARGE }));
    turn();
    const read = network.bodiesFor(two).map(openAnnouncement);
    expect(read.map((announcement) => [announcement.number, readChanges(announcement).length])).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  it('can be sent before the turn ends, and then are not sent again', () => {
    one.set(sessionOf(A));
    one.announcements.flush();
    expect(network.bodiesFor(two)).toHaveLength(1);
    turn();
    expect(network.bodiesFor(two)).toHaveLength(1);
  });

  it('are sent without one that cannot be written', () => {
    one.set(sessionOf('nonsense'));
    one.set(sessionOf(A));
    turn();
    const [body = Buffer.of()] = network.bodiesFor(two);
    expect(readChanges(openAnnouncement(body))).toEqual([{ put: sessionOf(A) }]);
    expect(one.damaged).toEqual(['one']);
  });

  it('are not sent at all where none can be written, nor once we have stopped', () => {
    one.set(sessionOf('nonsense'));
    turn();
    two.set(sessionOf(A));
    two.announcements.stop();
    two.set(sessionOf(B));
    two.announcements.beat();
    turn();
    expect(network.broadcasts).toEqual([]);
  });
});

describe('a member that joins', () => {
  it('is known once its snapshot has been applied', async () => {
    one.set(sessionOf(A));
    network.deliverBroadcasts();
    two.announcements.joined('one');
    let known = false;
    const waiting = two.announcements.known(['one', 'two', 'nobody']).then(() => {
      known = true;
    });
    await Promise.resolve();
    expect(known).toBe(false);
    network.deliverAll();
    await waiting;
    expect([...two.view('one').values()]).toEqual([sessionOf(A)]);
    await two.announcements.known(['one']);
  });

  it('is waited for no more when it has left, or we have stopped', async () => {
    two.announcements.joined('one');
    two.announcements.joined('three');
    const waiting = [two.announcements.known(['one']), two.announcements.known(['three', 'one'])];
    two.announcements.left('one');
    await waiting[0];
    two.announcements.stop();
    await waiting[1];
    two.announcements.joined('four');
    vi.advanceTimersByTime(10_000);
    expect(network.itemsFor(network.add('four'))).toEqual([]);
  });

  it('is asked once, and again each two seconds without an answer', () => {
    two.announcements.joined('one');
    two.announcements.joined('one');
    expect(network.itemsFor(one)).toHaveLength(1);
    vi.advanceTimersByTime(1999);
    expect(network.itemsFor(one)).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(network.itemsFor(one)).toHaveLength(2);
    vi.advanceTimersByTime(2000);
    expect(network.itemsFor(one)).toHaveLength(3);
  });

  it('answers requests that come together with one snapshot, to whoever asks', () => {
    one.set(sessionOf(A));
    network.deliverBroadcasts();
    two.announcements.joined('one');
    vi.advanceTimersByTime(4000);
    for (const channel of network.channels) while (channel.items.length > 0) network.deliverItem(channel);
    turn();
    expect(network.itemsFor(two)).toHaveLength(1);
    network.deliverItemTo(two);
    expect(versions()).toHaveLength(1);
    vi.advanceTimersByTime(4000);
    expect(network.channels).toEqual([]);
  });

  it('is not listened to before it has joined and after it has left', () => {
    one.set(sessionOf(A));
    network.deliverBroadcasts();
    two.announcements.joined('one');
    network.deliverAll();
    two.announcements.left('one');
    one.set(sessionOf(B));
    network.deliverBroadcasts();
    expect(versions()).toHaveLength(1); // what becomes of the sessions of one that left is not decided here
    vi.advanceTimersByTime(5000);
    expect(network.channels).toEqual([]);
  });
});

describe('a snapshot', () => {
  beforeEach(() => {
    for (let number = 1; number <= 7; number++) one.set(sessionOf(sid(number), { boundAt: 1, presence: LARGE }));
    network.deliverBroadcasts();
    two.announcements.joined('one');
  });

  it('comes in pages of 256 KB, each when it is asked for', () => {
    const pages: unknown[] = [];
    while (network.channels.length > 0) {
      one.announcements.beat(); // forgets those who have stopped asking
      network.deliverItemTo(one);
      expect(network.itemsFor(two)).toHaveLength(1);
      for (const item of network.itemsFor(two))
        if (item.kind === 'page') pages.push([item.page, item.last, item.sessions.length]);
      network.deliverItemTo(two);
    }
    expect(pages).toEqual([
      [0, false, 2],
      [1, false, 2],
      [2, false, 2],
      [3, true, 1],
    ]);
    expect(versions()).toHaveLength(7);
  });

  it('is completed by what is broadcast while its pages go out', () => {
    network.deliverItemTo(one);
    one.set(sessionOf(sid(1), { boundAt: 2 })); // is in a page that has gone
    one.delete(sid(2));
    one.delete(sid(6)); // would be in one that comes
    one.set(sessionOf(sid(7), { boundAt: 2 }));
    one.set(sessionOf(sid(8), { boundAt: 2 }));
    network.deliverBroadcasts();
    expect(two.view('one').size).toBe(0); // nothing of it is shown in part
    network.deliverAll();
    expect(versions().sort()).toEqual(
      [1, 3, 4, 5, 7, 8].map((number) => [sid(number), number % 6 === 1 || number > 6 ? 2 : 1]),
    );
    expect(two.resets).toBe(1);
    expect(network.channels).toEqual([]); // and nothing more is asked for
  });

  it('is fetched from the beginning where no page has come for two seconds', () => {
    network.deliverItemTo(one);
    vi.advanceTimersByTime(1999);
    network.deliverItemTo(two);
    vi.advanceTimersByTime(1999);
    expect(network.itemsFor(one)).toMatchObject([{ page: 1 }]);
    vi.advanceTimersByTime(1);
    const [, again] = network.itemsFor(one);
    expect(again).toMatchObject({ page: 0 });
    network.deliverItemTo(one);
    network.deliverItemTo(one);
    expect(network.itemsFor(two).filter((item) => item.id === again?.id)).toHaveLength(1);
    network.deliverAll();
    expect(versions()).toHaveLength(7);
    expect(two.resets).toBe(1);
  });

  it('is forgotten half way by the one who gives it when nobody asks on', () => {
    network.deliverItemTo(one);
    network.deliverItemTo(two);
    const [request] = network.channels;
    const [late = Buffer.of()] = request?.items.splice(0) ?? [];
    two.announcements.stop();
    vi.advanceTimersByTime(10_001);
    one.announcements.beat();
    one.announcements.onItem('two', late);
    turn();
    expect(network.channels).toEqual([]);
  });

  it('does not go out once we have stopped', () => {
    const [request] = network.channels;
    if (request) network.deliverItem(request);
    one.announcements.stop();
    turn();
    expect(network.channels).toEqual([]);
  });

  it('goes out without a session that cannot be written', () => {
    one.own.set('nonsense', sessionOf('nonsense'));
    network.deliverAll();
    expect(versions()).toHaveLength(7);
    expect(one.damaged).toEqual(['one']);
  });
});

describe('a beat of our own that comes back', () => {
  it('says when the bus last worked, which other broadcasts do not', () => {
    expect(one.announcements.lastEcho).toBe(Number.NEGATIVE_INFINITY);
    one.set(sessionOf(A));
    network.deliverBroadcasts();
    two.announcements.beat();
    network.deliverBroadcasts();
    expect(one.announcements.lastEcho).toBe(Number.NEGATIVE_INFINITY);
    vi.advanceTimersByTime(500);
    one.announcements.beat();
    network.deliverBroadcasts();
    expect(one.announcements.lastEcho).toBe(performance.now());
  });
});
