import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { type Stanza, stanzaOf } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { expect, it } from 'vitest';
import { retain } from './retained-presence.ts';

const XML =
  "<presence id='an-id-of-some-length' type='unavailable' xml:lang='de-CH-some-variant' extra='an attribute of its own'>" +
  "<show>away</show><status xml:lang='en'>In the garden &amp; beyond it, é ✓ 🌹</status>" +
  "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://client.example/caps' ver='QgayPKawpkPSDYmwT'/>" +
  '</presence>';

it('says the same', () => {
  const from = Jid.parse('juliet@capulet.example/balcony');
  const received = stanzaFromText(Buffer.from(XML)).withFrom(from);
  const retained = retain(received.withTo(Jid.parse('romeo@montague.example')));
  expect(retained.withTo(undefined).toElement()).toEqual(received.toElement());
  expect(retained.to).toBeUndefined();
  expect(retained.from).toBe(from);
  expect(retained.kind).toBe('presence');
});

it('keeps nothing alive of what it came in', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const used = () => {
    gc();
    return process.memoryUsage().heapUsed;
  };
  const [count, size] = [40, 1_000_000];
  const make = (): Stanza => {
    const chunk = Buffer.alloc(size, 'x').toString('latin1');
    const piece = (at: number) => chunk.slice(at, at + 50);
    const status = new Element(piece(0), piece(100), [piece(200), piece(300)], [piece(400)]);
    return stanzaOf(new Element('presence', NS.client, ['id', piece(500), 'extra', piece(600)], [status]));
  };
  const kept: Stanza[] = [];
  const before = used();
  for (let i = 0; i < count; i++) kept.push(retain(make()));
  expect(used() - before).toBeLessThan((count * size) / 10);
  kept.length = 0;
  for (let i = 0; i < count; i++) kept.push(make());
  expect(used() - before).toBeGreaterThan((count * size) / 2); // so the measure is a true one
});
