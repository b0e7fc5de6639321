import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { isStanza, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { xmlStream } from './arbitrary-xml.ts';
import { divergence, divergences } from './divergence.ts';
import { Expat } from './expat.ts';
import { mutate, mutations } from './mutation.ts';
import { HEADER, readInPieces, treeOf } from './reading.ts';
import { numRuns } from './runs.ts';

const expat = new Expat();
afterAll(() => expat[Symbol.asyncDispose]());

const TAKEN = 'both take it';
const REFUSED = 'both refuse it';

/** Has both parsers read the document. Throws where they disagree and nothing explains it. */
async function compare(document: Buffer): Promise<string> {
  const ours = readInPieces(document);
  const theirs = await expat.parse(document);
  // What was handed on before an error must be the same in any case: it may have been relayed.
  const handedOn = Math.min(ours.elements.length, theirs.elements.length);
  expect(ours.elements.slice(0, handedOn), document.toString()).toEqual(theirs.elements.slice(0, handedOn));
  const error = ours.error ?? (ours.closed ? undefined : 'incomplete');
  if (error === undefined && theirs.error === undefined) {
    expect(ours.elements.length, document.toString()).toBe(theirs.elements.length);
    return TAKEN;
  }
  if (error !== undefined && theirs.error !== undefined) return REFUSED;
  const explained = divergence(document.toString(), error, theirs.error);
  if (explained === undefined) throw new Error(`We say ${error}, expat says ${theirs.error}: ${document}`);
  return explained;
}

/** How often there was which verdict. */
async function check(documents: fc.Arbitrary<Buffer>): Promise<Map<string, number>> {
  const verdicts = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(documents, async (document) => {
      const verdict = await compare(document);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }),
    { numRuns },
  );
  return verdicts;
}

const document = xmlStream.map((text) => Buffer.from(text));

test('expat and XmlReader agree on streams', async () => {
  const verdicts = await check(document);
  expect(verdicts.get(TAKEN)).toBeGreaterThan(numRuns / 2);
  expect(verdicts.get(REFUSED)).toBeGreaterThan(numRuns / 20);
});

test('expat and XmlReader agree on streams in which bytes were changed', async () => {
  const verdicts = await check(fc.tuple(document, mutations).map(([bytes, list]) => mutate(bytes, list)));
  expect(verdicts.get(TAKEN)).toBeGreaterThan(numRuns / 100); // of 1,000 some 40, give or take a dozen
  expect(verdicts.get(REFUSED)).toBeGreaterThan(numRuns / 2);
});

test.each(divergences)('the known divergence is there: $why', async ({ why, example }) => {
  expect(await compare(Buffer.from(example))).toBe(why);
});

/** What would be sent on of an element that came. */
function relayed(element: Element): string {
  if (!isStanza(element)) return element.toString(NS.client);
  try {
    return stanzaOf(element).toString();
  } catch (error) {
    if (error instanceof StanzaError) return ''; // answered, not relayed
    throw error;
  }
}

test('expat reads in what is relayed what XmlReader read in what came', async () => {
  let elements = 0;
  await fc.assert(
    fc.asyncProperty(xmlStream, async (text) => {
      const sent = readInPieces(Buffer.from(text)).received.filter((element) => relayed(element) !== '');
      const reading = await expat.parse(Buffer.from(`${HEADER}${sent.map(relayed).join('')}</stream:stream>`));
      expect(reading).toEqual({ error: undefined, elements: sent.map((element) => asRelayed(element)) });
      elements += sent.length;
    }),
    { numRuns },
  );
  expect(elements).toBeGreaterThan(numRuns / 2);
});

/** Addresses are written in their prepared form. */
const asRelayed = (element: Element) => treeOf(isStanza(element) ? stanzaOf(element).toElement() : element);
