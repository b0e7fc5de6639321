import { describe, expect, it } from 'vitest';
import { ClusterTracker } from '../cluster/cluster-tracker.ts';
import { compareOids } from '../protocol/oid.ts';
import { readCell, View } from '../protocol/view.ts';
import { TestNode } from '../testing-reports.ts';
import { cellsOf, objectOid } from './cells.ts';
import { mibText } from './mib-text.ts';
import { networkServicesCells } from './network-services.ts';
import { DOCUMENTATION_ARC, xmppServerMib } from './xmpp-server-mib.ts';

function state(node: TestNode) {
  const tracker = new ClusterTracker({ name: 'all', downAfterMs: 1, restartMs: 1, forgetMs: 1 }, 0);
  return tracker.update([node.report(5000)], 5000);
}

/** The value of an object of the module, in this row. */
function shown(node: TestNode, name: string, ...index: number[]): unknown {
  const view = new View();
  view.replace([...cellsOf(xmppServerMib, DOCUMENTATION_ARC, state(node))]);
  const cell = view.get([...objectOid(xmppServerMib, DOCUMENTATION_ARC, name), ...index], [[1]]);
  const value = cell && readCell(cell).value;
  return Buffer.isBuffer(value) && value.length === 8 ? Number(value.readBigUInt64BE()) : String(value);
}

describe('XMPP-SERVER-MIB', () => {
  it('shows what nodes count', () => {
    const node = new TestNode('one');
    const { stanzas, componentStanzas, logins, sessions, eventLoopDelay, certificateDays } = node.registry.metrics;
    sessions.set(7);
    stanzas.with({ kind: 'message', direction: 'in' }).add(3);
    componentStanzas.with({ component: 'a.b', kind: 'iq', direction: 'out' }).add(4);
    componentStanzas.with({ component: 'c.d', kind: 'iq', direction: 'out' }).add(1);
    logins.with({ mechanism: 'PLAIN', outcome: 'success' }).add(2);
    logins.with({ mechanism: 'PLAIN', outcome: 'aborted' }).add(1);
    eventLoopDelay.with({ quantile: 'p99' }).set(0.0125);
    certificateDays.with({ domain: 'a.b' }).set(-3.5);
    expect(shown(node, 'xmppClusterSessions', 0)).toBe('7');
    expect(shown(node, 'xmppNodeSessions', 2)).toBe('7');
    expect(shown(node, 'xmppNodeEventLoopDelay', 2)).toBe('12500');
    expect([shown(node, 'xmppStanzas', 2, 1, 1), shown(node, 'xmppStanzas', 1, 1, 1)]).toEqual([3, 3]);
    expect([shown(node, 'xmppStanzas', 2, 3, 6), shown(node, 'xmppStanzas', 2, 3, 5)]).toEqual([5, 0]);
    const plain = [...Buffer.from('PLAIN')];
    expect([shown(node, 'xmppLoginSuccesses', 2, ...plain), shown(node, 'xmppLoginFailures', 2, ...plain)]).toEqual([
      2, 1,
    ]);
    expect(shown(node, 'xmppDomainCertificateDays', ...Buffer.from('a.b'))).toBe('-4');
  });

  it('shows domains, single other servers, Redis and what was refused', () => {
    const node = new TestNode('one');
    const { metrics } = node.registry;
    metrics.domainSessions.with({ domain: 'a.b' }).set(3);
    metrics.domainStanzas.with({ domain: 'a.b', direction: 'in' }).add(4);
    metrics.keyspaceDomainState.with({ domain: 'a.b' }).set(0);
    metrics.peerStreams.with({ peer: 'c.d', direction: 'in' }).set(1);
    metrics.peerProofs.with({ peer: 'c.d', direction: 'out', proof: 'dane' }).add(2);
    metrics.peerProofs.with({ peer: 'c.d', direction: 'in', proof: 'refused' }).add(5);
    metrics.peerWaiting.with({ peer: 'other' }).set(6);
    metrics.keyspaceTrouble.with({ failure: 'read-only' }).set(1);
    metrics.keyspaceDuration.record(0.25);
    metrics.limitsExceeded.with({ limit: 'strangers' }).add(7);
    metrics.stanzaErrors.with({ condition: 'gone' }).add(8);
    metrics.journalUnaccounted.with({ kind: 'missing' }).add(9);
    metrics.streams.with({ kind: 's2s-in', state: 'authenticated' }).set(10);
    metrics.streams.with({ kind: 'c2s', state: 'bound' }).set(11);
    const [domain, peer] = [[...Buffer.from('a.b')], [...Buffer.from('c.d')]];
    const named = (name: string, text: string, ...index: number[]) => shown(node, name, ...index, ...Buffer.from(text));
    expect([shown(node, 'xmppDomainSessions', ...domain), shown(node, 'xmppDomainStanzasIn', ...domain)]).toEqual([
      '3',
      4,
    ]);
    expect(shown(node, 'xmppDomainCertificateDays', ...domain)).toBe('undefined'); // it has none
    expect(shown(node, 'xmppDomainReplicas', ...domain)).toBe('2');
    expect(shown(node, 'xmppPeerStreamsIn', ...peer)).toBe('1');
    expect([shown(node, 'xmppPeerProofs', ...peer), shown(node, 'xmppPeerRefusals', ...peer)]).toEqual([2, 5]);
    expect(named('xmppPeerStanzasWaiting', 'other')).toBe('6');
    expect([shown(node, 'xmppRedisLink', 2), shown(node, 'xmppRedisTrouble', 2)]).toEqual(['1', '5']);
    expect([shown(node, 'xmppRedisDomainsUnkept', 1), shown(node, 'xmppRedisCommandTime', 1)]).toEqual(['1', 250_000]);
    expect([named('xmppLimitExceeded', 'strangers', 2), named('xmppErrors', 'gone', 1)]).toEqual([7, 8]);
    expect([shown(node, 'xmppNodeJournalUnaccounted', 1), shown(node, 'xmppNodeStreams', 2)]).toEqual([9, '11']);
  });

  it('shows latencies as cumulative histograms', () => {
    const node = new TestNode('one');
    for (const seconds of [0.000_01, 0.003, 1000]) node.registry.metrics.deliveryDuration.record(seconds);
    expect(shown(node, 'xmppLatencyCount', 2, 1, 0x7fff_ffff)).toBe(3);
    expect(shown(node, 'xmppLatencyCount', 2, 1, 5000)).toBe(2);
  });

  it('has no place twice, and none without a name', () => {
    const node = new TestNode('one');
    node.associations = [{ kind: 'peer-in', remote: 'example.org', port: 5269, since: 0 }];
    const about = { directoryName: '', description: '', url: '' };
    const cells = [
      ...cellsOf(xmppServerMib, DOCUMENTATION_ARC, state(node)),
      ...networkServicesCells(state(node), about),
    ];
    const sorted = cells.map(({ oid }) => oid).sort(compareOids);
    expect(sorted.every((oid, index) => index === 0 || compareOids(oid, sorted[index - 1] ?? []) > 0)).toBe(true);
    expect(sorted.length).toBeGreaterThan(200);
    for (const { objects } of xmppServerMib.notifications) {
      for (const name of objects) expect(() => objectOid(xmppServerMib, DOCUMENTATION_ARC, name)).not.toThrow();
    }
    expect(() => objectOid(xmppServerMib, DOCUMENTATION_ARC, 'xmppNothing')).toThrow(RangeError);
  });

  it('has a text, below enterprises', () => {
    expect(mibText(xmppServerMib, [1, 3, 6, 1, 4, 1, 99_999, 7])).toMatch(
      /::= \{ xmppServerArc2 1 \}\n\nxmppServerArc1 OBJECT IDENTIFIER ::= \{ enterprises 99999 \}\nxmppServerArc2 OBJECT IDENTIFIER ::= \{ xmppServerArc1 7 \}/,
    );
    expect(() => mibText(xmppServerMib, [1, 3, 6, 1, 2])).toThrow(RangeError);
    expect(() => mibText(xmppServerMib, [1, 3, 6, 1, 4, 1])).toThrow(RangeError);
  });
});
