import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prometheusText } from './prometheus.ts';
import { Registry } from './registry.ts';
import { merge, parseSnapshot, type Snapshot } from './snapshot.ts';

function node(set: (metrics: Registry['metrics']) => void, name = 'a', at = 1000): Snapshot {
  const registry = new Registry();
  set(registry.metrics);
  return registry.snapshot(name, at);
}

describe('a snapshot', () => {
  it('is plain JSON without the zeros', () => {
    const snapshot = node(({ stanzas, uptime }) => {
      stanzas.with({ kind: 'iq', direction: 'out' }).add(7);
      uptime.set(0);
    });
    expect(snapshot).toMatchObject({ version: 1, node: 'a', at: 1000 });
    expect({ ...snapshot.values['xmpp.stanzas'] }).toEqual({ 'iq,out': 7 });
    // The least of several nodes may well be 0, so it is told.
    expect({ ...snapshot.values['parley.uptime'] }).toEqual({ '': 0 });
    expect(parseSnapshot(JSON.stringify(snapshot))).toEqual(snapshot);
  });

  it('of two registries in one process has nothing in common', () => {
    const one = new Registry();
    const other = new Registry();
    one.metrics.sessions.set(5);
    expect(other.snapshot().values['xmpp.sessions']).toEqual({});
  });

  it('asks those who are observed at that moment', () => {
    const registry = new Registry();
    let seconds = 1;
    registry.metrics.uptime.observe(() => seconds);
    expect(registry.snapshot().values['parley.uptime']).toEqual({ '': 1 });
    seconds = 2;
    expect(registry.snapshot().values['parley.uptime']).toEqual({ '': 2 });
  });
});

describe('merge', () => {
  it('adds, takes the greatest or the least, as the catalogue says', () => {
    const merged = merge([
      node(({ sessions, uptime, eventLoopDelay, certificateDays, build }) => {
        sessions.set(3);
        uptime.set(50);
        eventLoopDelay.with({ quantile: 'p99' }).set(0.2);
        certificateDays.with({ domain: 'a.example' }).set(-1);
        build.with({ version: '1', node: '26' }).set(1);
      }),
      node(
        ({ sessions, uptime, eventLoopDelay, certificateDays, build }) => {
          sessions.set(4);
          uptime.set(20);
          eventLoopDelay.with({ quantile: 'p99' }).set(0.1);
          certificateDays.with({ domain: 'a.example' }).set(80);
          certificateDays.with({ domain: 'b.example' }).set(70);
          build.with({ version: '1', node: '26' }).set(1);
        },
        'b',
        3000,
      ),
    ]);
    expect(merged.at).toBe(3000);
    expect(merged.values['xmpp.sessions']).toEqual({ '': 7 });
    expect(merged.values['parley.uptime']).toEqual({ '': 20 });
    expect(merged.values['parley.eventloop.delay']).toMatchObject({ p99: 0.2 });
    expect(merged.values['parley.certificate.remaining']).toEqual({ 'a.example': -1, 'b.example': 70 });
    expect(merged.values['parley.build']).toEqual({ '1,26': 2 });
  });

  it('adds histograms up, also of a node with other buckets', () => {
    const own = node(({ offlineSize }) => {
      offlineSize.record(100);
      offlineSize.record(5000);
    });
    const other = node(() => undefined);
    other.values['xmpp.offline.size'] = { '': { bounds: [200, 300, 1_000_000], counts: [1, 1, 1, 1], sum: 2_000_000 } };
    expect(merge([own, other]).values['xmpp.offline.size']).toEqual({
      '': { bounds: [256, 1024, 4096, 16_384, 65_536, 262_144], counts: [2, 1, 0, 1, 0, 0, 2], sum: 2_005_100 },
    });
  });

  it('gives the same in whatever order the nodes come, and leaves them as they were', () => {
    const arbitrary = fc
      .record({ sessions: fc.nat(1000), uptime: fc.nat(1000), latency: fc.array(fc.integer({ min: 0, max: 20 })) })
      .map(({ sessions, uptime, latency }) =>
        node((metrics) => {
          metrics.sessions.set(sessions);
          metrics.uptime.set(uptime);
          for (const value of latency) metrics.deliveryDuration.record(value);
        }),
      );
    fc.assert(
      fc.property(fc.array(arbitrary, { minLength: 1, maxLength: 5 }), (nodes) => {
        const before = structuredClone(nodes);
        const merged = merge(nodes);
        expect(merge(nodes.toReversed())).toEqual(merged);
        expect(merge([merge(nodes.slice(0, 2)), ...nodes.slice(2)])).toEqual(merged);
        expect(nodes).toEqual(before);
      }),
    );
  });

  it('of no node at all is empty', () => {
    expect(merge([]).at).toBe(0);
    expect(prometheusText(merge([]))).toContain('xmpp_sessions 0\n');
  });
});

describe('parseSnapshot', () => {
  const good = JSON.parse(
    JSON.stringify(
      node(({ sessions, rosterSize }) => {
        sessions.set(1);
        rosterSize.record(3);
      }),
    ),
  );

  it.each([
    ['null', null],
    ['a list', []],
    ['another version', { ...good, version: 2 }],
    ['no node', { ...good, node: undefined }],
    ['a time that is none', { ...good, at: 'now' }],
    ['no values', { ...good, values: [] }],
    ['a counter that is text', { ...good, values: { 'xmpp.stanzas': { 'iq,in': '5' } } }],
    ['series that are none', { ...good, values: { 'xmpp.stanzas': 5 } }],
    ['a histogram that is a number', { ...good, values: { 'xmpp.roster.size': { '': 5 } } }],
    [
      'a histogram that lacks a bucket',
      { ...good, values: { 'xmpp.roster.size': { '': { bounds: [1], counts: [1], sum: 1 } } } },
    ],
    [
      'a histogram out of order',
      { ...good, values: { 'xmpp.roster.size': { '': { bounds: [2, 1], counts: [1, 1, 1], sum: 1 } } } },
    ],
    ['a negative count', { ...good, values: { 'xmpp.roster.size': { '': { bounds: [1], counts: [1, -1], sum: 1 } } } }],
  ])('refuses %s', (_, value) => {
    expect(() => parseSnapshot(JSON.stringify(value))).toThrow(/metrics snapshot/);
  });

  it('leaves out what has no number', () => {
    const snapshot = node(({ descriptors }) => descriptors.with({ state: 'limit' }).set(Number.POSITIVE_INFINITY));
    expect({ ...parseSnapshot(JSON.stringify(snapshot)).values['parley.descriptors'] }).toEqual({});
  });

  it('leaves out what this version does not know', () => {
    const parsed = parseSnapshot(
      JSON.stringify({ ...good, values: { ...good.values, 'xmpp.later': { '': 1 }, toString: { '': 1 } } }),
    );
    expect(parsed).toEqual(parseSnapshot(JSON.stringify(good)));
  });
});
