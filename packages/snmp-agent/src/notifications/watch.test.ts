import { beforeEach, describe, expect, it } from 'vitest';
import { ClusterTracker } from '../cluster/cluster-tracker.ts';
import { TestNode } from '../testing-reports.ts';
import { Watch } from './watch.ts';

let tracker: ClusterTracker;
let watch: Watch;
let node: TestNode;
beforeEach(() => {
  tracker = new ClusterTracker({ name: 'all', downAfterMs: 15_000, restartMs: 60_000, forgetMs: 600_000 }, 0);
  watch = new Watch({ loginFailuresPerMinute: 10, certificateDays: 14, waitingStanzas: 100 });
  node = new TestNode('one');
});

const told = (seconds: number, ...nodes: TestNode[]): string[] =>
  watch
    .look(
      tracker.update(
        nodes.map((each) => each.report(seconds * 1000)),
        seconds * 1000,
      ),
    )
    .map(({ name, index }) => `${name} ${index.join('.')}`);

const fail = (count: number) =>
  node.registry.metrics.logins.with({ mechanism: 'PLAIN', outcome: 'not-authorized' }).add(count);

describe('what managers are told', () => {
  it('is that nodes come, go and change', () => {
    expect(told(5, node)).toEqual([]);
    node.state = 'congested';
    expect(told(10, node, new TestNode('two'))).toEqual(['xmppNodeStateChange 2', 'xmppNodeUp 3']);
    expect(told(26, node)).toEqual(['xmppNodeDown 3']);
    expect(told(30, node, new TestNode('two'))).toEqual(['xmppNodeUp 3']);
    node.state = 'quiescing';
    expect(told(32, node)).toEqual(['xmppNodeStateChange 2']);
    expect(told(48)).toEqual(['xmppNodeStateChange 2', 'xmppNodeDown 3']);
  });

  it('is that Redis is away, once, and back', () => {
    node.registry.metrics.keyspaceState.set(0);
    expect([told(5, node), told(10, node)]).toEqual([['xmppKeyspaceLost 2'], []]);
    node.registry.metrics.keyspaceState.set(1);
    expect([told(15, node), told(20, node)]).toEqual([['xmppKeyspaceBack 2'], []]);
  });

  it('is of all nodes where the keyspace that they share answers nobody, and not that they are gone', () => {
    const deaf = (seconds: number) =>
      watch.look(tracker.update(undefined, seconds * 1000)).map(({ name, index }) => `${name} ${index.join('.')}`);
    expect(told(5, node)).toEqual([]);
    expect([deaf(7), deaf(9)]).toEqual([['xmppKeyspaceLost 1', 'xmppNodeStateChange 2'], []]);
    expect([deaf(500), told(502, node)]).toEqual([[], ['xmppKeyspaceBack 1', 'xmppNodeStateChange 2']]);
  });

  it('is that too many logins fail', () => {
    fail(500);
    expect(told(5, node)).toEqual([]);
    fail(10);
    expect(told(10, node)).toEqual([]);
    fail(1);
    expect(told(15, node)).toEqual(['xmppLoginFailureBurst 2']);
    fail(5);
    expect(told(70, node)).toEqual([]);
    expect(told(80, node)).toEqual([]);
    fail(9);
    expect(told(90, node)).toEqual([]);
  });

  it('is that stanzas pile up', () => {
    node.registry.metrics.federationWaiting.set(101);
    expect([told(5, node), told(10, node)]).toEqual([['xmppQueueHigh 2'], []]);
    node.registry.metrics.federationWaiting.set(0);
    expect(told(15, node)).toEqual([]);
    node.registry.metrics.federationWaiting.set(200);
    expect(told(20, node)).toEqual(['xmppQueueHigh 2']);
    node.registry.metrics.federationWaiting.set(0);
    expect(told(25, node)).toEqual([]);
    // for nobody too many, and together
    node.registry.metrics.federationWaiting.set(40);
    node.registry.metrics.clusterDeliveriesWaiting.set(40);
    node.registry.metrics.componentWaiting.set(40);
    expect(told(30, node)).toEqual(['xmppQueueHigh 2']);
  });

  it('is that stanzas are missing, each time that more are', () => {
    const { journalUnaccounted } = node.registry.metrics;
    expect(told(5, node)).toEqual([]);
    journalUnaccounted.with({ kind: 'missing' }).add(2);
    expect([told(10, node), told(15, node)]).toEqual([['xmppMessageLoss 2'], []]);
    journalUnaccounted.with({ kind: 'surplus' }).add(1);
    expect(told(20, node)).toEqual(['xmppMessageLoss 2']);
    const anew = new TestNode('one', 1);
    anew.registry.metrics.journalUnaccounted.with({ kind: 'missing' }).add(1);
    expect([told(25, new TestNode('one', 1)), told(30, anew)]).toEqual([[], ['xmppMessageLoss 2']]);
  });

  it('is what becomes of directories and certificates', () => {
    node.registry.metrics.directoryServersAway.with({ directory: 'ad' }).set(1);
    node.registry.metrics.certificateDays.with({ domain: 'a.b' }).set(13.5);
    expect(told(5, node)).toEqual(['xmppDirectoryLost 97.100', 'xmppCertificateExpiring 97.46.98']);
    node.registry.metrics.directoryServersAway.with({ directory: 'ad' }).set(0);
    node.registry.metrics.certificateDays.with({ domain: 'a.b' }).set(90);
    expect(told(10, node)).toEqual(['xmppDirectoryBack 97.100']);
  });

  it('is what becomes of identity providers', () => {
    const { providersAway } = node.registry.metrics;
    providersAway.with({ provider: 'ad' }).set(1);
    expect([told(5, node), told(10, node)]).toEqual([['xmppProviderLost 97.100'], []]);
    providersAway.with({ provider: 'ad' }).set(0);
    expect(told(15, node)).toEqual(['xmppProviderBack 97.100']);
  });

  it('is what becomes of something again where it was gone from the configuration, and not where nobody was heard', () => {
    const expiring = () => {
      const heard = new TestNode('one');
      heard.registry.metrics.certificateDays.with({ domain: 'a.b' }).set(1);
      return heard;
    };
    expect(told(5, expiring())).toEqual(['xmppCertificateExpiring 97.46.98']);
    expect(told(30)).toEqual(['xmppNodeDown 2']);
    expect(told(35, expiring())).toEqual(['xmppNodeUp 2']);
    expect(told(40, node)).toEqual([]);
    expect(told(45, expiring())).toEqual(['xmppCertificateExpiring 97.46.98']);
  });
});
