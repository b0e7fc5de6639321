import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeChanges, encodePage, putRecord, sessionBytes } from './announcement.ts';
import { type SimulatedMember, SimulatedNetwork, sessionOf } from './simulated-members.ts';

const A = '000000000000000a';
const B = '000000000000000b';

let network: SimulatedNetwork;
let one: SimulatedMember;
let two: SimulatedMember;

const turn = () => vi.advanceTimersByTime(0);
/** What `two` knows of `one`. */
const versions = () => [...two.view('one').values()].map(({ sid, boundAt }) => [sid, boundAt]);

beforeEach(() => {
  vi.useFakeTimers();
  network = new SimulatedNetwork(turn);
  one = network.add('one');
  two = network.add('two');
  two.announcements.joined('one');
  network.deliverAll();
});
afterEach(() => {
  for (const { announcements } of network.members.values()) announcements.stop();
  vi.useRealTimers();
});

describe('a broadcast of a member', () => {
  const broadcast = (number: number, boundAt: number) =>
    two.announcements.onBroadcast('one', encodeChanges(number, [putRecord(sessionOf(A, { boundAt }))]));

  it('that is missing is noticed by the next one, which waits for the snapshot', () => {
    one.set(sessionOf(A, { boundAt: 1 }));
    turn();
    network.broadcasts.splice(0);
    one.set(sessionOf(B, { boundAt: 2 }));
    network.deliverBroadcasts();
    expect(versions()).toEqual([]);
    network.deliverAll();
    expect(versions()).toEqual([
      [A, 1],
      [B, 2],
    ]);
    expect(two.resets).toBe(2);
  });

  it('that is missing is noticed by the beat where nothing follows, or when the link is up again', () => {
    for (const notice of [() => one.announcements.beat(), () => one.announcements.linkUp()]) {
      one.set(sessionOf(A, { boundAt: performance.now() }));
      turn();
      network.broadcasts.splice(0);
      notice();
      network.deliverAll();
      expect(two.view('one')).toEqual(one.own);
      vi.advanceTimersByTime(1);
    }
  });

  it('that comes late closes the gap itself, and the snapshot that comes then takes nothing back', () => {
    broadcast(2, 2);
    broadcast(4, 4);
    broadcast(1, 1);
    expect(versions()).toEqual([[A, 2]]);
    broadcast(3, 3);
    expect(versions()).toEqual([[A, 4]]);
    const [request] = network.itemsFor(one);
    two.announcements.onItem('one', encodePage({ id: request?.id ?? 0, page: 0, last: true, asOf: 3 }, []));
    expect(versions()).toEqual([[A, 4]]);
    expect(network.itemsFor(one)).toHaveLength(1);
  });

  it('that comes twice, or after a newer one, changes nothing', () => {
    broadcast(1, 1);
    broadcast(2, 2);
    broadcast(1, 1);
    broadcast(2, 3);
    expect(versions()).toEqual([[A, 2]]);
    expect(network.channels).toEqual([]);
  });

  it('behind the snapshot is applied after it, and one that is still missing is fetched again', () => {
    broadcast(2, 2);
    const [request] = network.itemsFor(one);
    broadcast(4, 4);
    broadcast(6, 6);
    const page = { id: request?.id ?? 0, page: 0, last: true, asOf: 3 };
    two.announcements.onItem('one', encodePage(page, [sessionBytes(sessionOf(A, { boundAt: 3 }))]));
    expect(versions()).toEqual([[A, 4]]);
    expect(network.itemsFor(one)).toHaveLength(2);
  });

  it('behind a gap is kept only as long as there is room, and fetched again otherwise', () => {
    const presence = 'x'.repeat(8 * 1024 * 1024);
    const large = (number: number) => encodeChanges(number, [putRecord(sessionOf(A, { boundAt: number, presence }))]);
    for (let number = 2; number <= 6; number++) two.announcements.onBroadcast('one', large(number));
    broadcast(1, 1);
    expect(versions()).toEqual([[A, 4]]); // three times 8 MB and a bit fit into 32 MB
    for (let number = 6; number <= 8; number++) two.announcements.onBroadcast('one', large(number));
    broadcast(5, 5);
    expect(versions()).toEqual([[A, 8]]); // what was applied makes room
  });

  it('with a number that was never given is not waited for longer than one snapshot takes', () => {
    broadcast(2 ** 50, 9);
    one.set(sessionOf(B, { boundAt: 1 }));
    network.deliverAll();
    expect(versions()).toEqual([[B, 1]]);
    one.set(sessionOf(B, { boundAt: 2 }));
    network.deliverAll();
    expect(versions()).toEqual([[B, 2]]);
    expect(network.channels).toEqual([]);
  });
});

describe('damage', () => {
  it('to a broadcast is reported, nothing of it counts, and a snapshot is fetched instead', () => {
    one.set(sessionOf(A, { boundAt: 1 }));
    one.set(sessionOf(B, { boundAt: 1 }));
    turn();
    const [{ body } = { body: Buffer.of() }] = network.broadcasts.splice(0);
    two.announcements.onBroadcast('one', body.subarray(0, -1));
    expect(two.damaged).toEqual(['one']);
    expect(versions()).toEqual([]);
    network.deliverAll();
    expect(two.view('one')).toEqual(one.own);
  });

  it('to a broadcast behind a gap is reported when its turn comes', () => {
    const changes = (number: number) => encodeChanges(number, [putRecord(sessionOf(A, { boundAt: number }))]);
    two.announcements.onBroadcast('one', changes(2).subarray(0, -1));
    two.announcements.onBroadcast('one', changes(3));
    expect(two.damaged).toEqual([]);
    two.announcements.onBroadcast('one', changes(1));
    expect(two.damaged).toEqual(['one']);
    expect(versions()).toEqual([[A, 1]]);
  });

  it('to the header of a broadcast or to an item is reported, and no more', () => {
    two.announcements.onBroadcast('one', Buffer.of(1, 77));
    two.announcements.onBroadcast('two', Buffer.of());
    two.announcements.onItem('one', Buffer.of(1, 2, 3));
    expect(two.damaged).toEqual(['one', 'two', 'one']);
    expect(network.channels).toEqual([]);
  });

  it('to a page has the snapshot fetched anew after two seconds', () => {
    one.set(sessionOf(A));
    turn();
    network.broadcasts.splice(0);
    one.announcements.beat();
    network.deliverBroadcasts();
    network.deliverItemTo(one);
    const [page] = network.channels;
    page?.items.splice(0);
    two.announcements.onItem('one', Buffer.of(1, 3));
    expect(network.channels).toEqual([]);
    vi.advanceTimersByTime(2000);
    network.deliverAll();
    expect(two.view('one')).toEqual(one.own);
  });
});
