import { serializeNodes } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { isStanza, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tree } from './arbitrary-tree.ts';
import { xmlStream } from './arbitrary-xml.ts';
import { mutate, mutations } from './mutation.ts';
import { readInPieces, readRelayed, treeOf } from './reading.ts';
import { numRuns } from './runs.ts';

/** Streams of all kinds, and some in which bytes were changed: what is complete before a fault is relayed, too. */
const documents = fc
  .tuple(xmlStream, fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: mutations }))
  .map(([text, changes]) => mutate(Buffer.from(text), changes));

test('what an element is written as is read as the same element', () => {
  fc.assert(
    fc.property(tree, (element) => {
      expect(readRelayed(element.toString(NS.client)).map(treeOf)).toEqual([treeOf(element)]);
    }),
    { numRuns },
  );
});

test('the text that came and the element that was read mean the same in the stream of the recipient', () => {
  let relayed = 0;
  fc.assert(
    fc.property(documents, (document) => {
      for (const element of readInPieces(document).received) {
        if (element.ns !== NS.client) continue;
        const start = `<${element.name}>`;
        const serialised = readRelayed(`${start}${serializeNodes(element.children, NS.client)}</${element.name}>`);
        expect(serialised.map(treeOf)).toEqual([treeOf(element.with({ attributes: [] }))]);
        if (!element.source) continue;
        relayed++;
        expect(readRelayed(start + element.source).map(treeOf)).toEqual(serialised.map(treeOf));
      }
    }),
    { numRuns },
  );
  expect(relayed).toBeGreaterThan(numRuns / 20);
});

test('a stanza says the same when it has gone through, be it relayed or written anew', () => {
  let stanzas = 0;
  fc.assert(
    fc.property(documents, (document) => {
      for (const element of readInPieces(document).received) {
        if (!isStanza(element)) continue;
        let stanza: ReturnType<typeof stanzaOf>;
        try {
          stanza = stanzaOf(element);
        } catch (error) {
          expect(error).toBeInstanceOf(StanzaError);
          continue;
        }
        stanzas++;
        const [asRelayed, asWritten] = readRelayed(stanza.toString() + stanza.toElement().toString(NS.client));
        expect(asRelayed && treeOf(asRelayed)).toEqual(treeOf(stanza.toElement()));
        expect(asWritten && treeOf(asWritten)).toEqual(treeOf(stanza.toElement()));
        expect(treeOf(stanza.toElement())[3]).toEqual(treeOf(element)[3]);
      }
    }),
    { numRuns },
  );
  expect(stanzas).toBeGreaterThan(numRuns / 20);
});
