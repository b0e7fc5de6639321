import { Registry } from '@parley/metrics/registry';
import { expect, it } from 'vitest';
import { type PeerNow, PeerRows } from './peer-rows.ts';

function rowsOf(now: readonly (readonly [domain: string, what: keyof PeerNow, number: number])[] = []) {
  const registry = new Registry();
  const { metrics } = registry;
  let looks = 0;
  const rows = new PeerRows({
    metrics,
    isNamed: (domain) => domain.endsWith('named.example'),
    look(count) {
      looks++;
      for (const each of now) count(...each);
    },
  });
  return { rows, metrics, values: () => registry.snapshot().values, looks: () => looks };
}

it('counts by domain: of those that are named or have proved who they are, and of all others together', () => {
  const { rows, values } = rowsOf();
  for (const domain of ['stranger.example', 'proved.example', 'named.example']) rows.stanza(domain, 'in');
  rows.proof('proved.example', 'in', 'dialback');
  rows.proof('stranger.example', 'in', 'refused');
  rows.stanza('proved.example', 'in');
  rows.stanza('proved.example', 'out');
  rows.failed('named.example');
  rows.failed('nowhere.example');
  expect(values()).toMatchObject({
    'xmpp.federation.peer.stanzas': {
      'other,in': 2,
      'named.example,in': 1,
      'proved.example,in': 1,
      'proved.example,out': 1,
    },
    'xmpp.federation.peer.proofs': { 'proved.example,in,dialback': 1, 'other,in,refused': 1 },
    'xmpp.federation.peer.failures': { 'named.example': 1, other: 1 },
    'xmpp.federation.proofs': { 'in,dialback': 1, 'in,refused': 1 },
  });
});

it('has no more rows than are bounded, whoever proves whatever', () => {
  const { rows, values } = rowsOf();
  for (let i = 0; i < 1000; i++) rows.proof(`${i}.example`, 'in', 'certificate');
  for (let i = 0; i < 1000; i++) rows.stanza(`${i}.named.example`, 'out');
  rows.stanza('999.example', 'in');
  const stanzas = values()['xmpp.federation.peer.stanzas'];
  expect(Object.keys(stanzas ?? {}).length).toBe(102);
  expect(stanzas).toMatchObject({ 'other,out': 900, 'other,in': 1, '99.named.example,out': 1 });
  const proofs = values()['xmpp.federation.peer.proofs'];
  expect([Object.keys(proofs ?? {}).length, proofs?.['other,in,certificate']]).toEqual([201, 800]);
});

it('tells how it is with each, looking once for all of them', () => {
  const now = [
    ['proved.example', 'in', 1],
    ['proved.example', 'in', 1],
    ['proved.example', 'waiting', 5],
    ['stranger.example', 'waiting', 2],
    ['other.example', 'out', 1],
  ] as const;
  const { rows, values, looks } = rowsOf(now);
  rows.proof('proved.example', 'in', 'certificate');
  rows.proof('gone.example', 'in', 'certificate');
  expect(values()).toMatchObject({
    'xmpp.federation.peer.streams': { 'proved.example,in': 2, 'other,out': 1 },
    'xmpp.federation.peer.waiting': { 'proved.example': 5, other: 2 },
  });
  expect(looks()).toBe(1);
});
