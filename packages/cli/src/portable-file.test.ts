import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XmlDocumentError } from '@parley/xmpp/xml-document';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPortable } from './portable-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-portable-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reads = ({ name }: { name: string }) => ['query', 'vCard', 'presence'].includes(name);

/** What is told of files, of which the first is read. */
async function told(files: Record<string, string>, skipsParts = false): Promise<string[]> {
  mkdirSync(join(folder, 'capulet.com'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const events: string[] = [];
  try {
    for await (const event of readPortable(join(folder, Object.keys(files)[0] ?? ''), { reads, skipsParts })) {
      const { type, place } = event;
      const what =
        'element' in event
          ? event.element
          : 'name' in event
            ? event.name
            : 'jid' in event
              ? event.jid
              : 'what' in event
                ? event.what
                : '';
      events.push(`${type} ${what} ${place.file.replace(folder, '')}:${place.line}`);
    }
  } catch (error) {
    if (!(error instanceof XmlDocumentError)) throw error;
    events.push(error.message.replaceAll(folder, ''));
  }
  return events;
}

const pie = `xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'`;

it('reads a file that includes others, as XEP-0227 §5.1 lays them out', async () => {
  expect(
    await told({
      'main.xml': `<server-data ${pie}>\n<xi:include href='capulet.com.xml'/></server-data>`,
      'capulet.com.xml': `<host ${pie} jid='capulet.com'>\n<xi:include href='capulet.com/juliet.xml'/>\n<user name='nurse'/></host>`,
      'capulet.com/juliet.xml': `<user ${pie} name='juliet'>\n<vCard xmlns='vcard-temp'><xi:include href='x'/></vCard>\n<offline-messages><message xmlns='jabber:client'/></offline-messages></user>`,
    }),
  ).toEqual([
    'host capulet.com /capulet.com.xml:1',
    'user juliet /capulet.com/juliet.xml:1',
    "part <vCard xmlns='vcard-temp'><include xmlns='http://www.w3.org/2001/XInclude' href='x'/></vCard> /capulet.com/juliet.xml:2",
    "message <message xmlns='jabber:client'/> /capulet.com/juliet.xml:3",
    'user-end  /capulet.com/juliet.xml:3',
    'user nurse /capulet.com.xml:3',
    'user-end  /capulet.com.xml:3',
  ]);
});

it.each([
  ['', 'The file ends before its last element does.'],
  [`<host ${pie} jid='x'/>`, 'This is no export by XEP-0227'],
  [`<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><server-data ${pie}>&y;</server-data>`, 'Document type'],
  [`<server-data ${pie}><xi:include href='../../etc/passwd'/></server-data>`, 'outside of the folder'],
  [`<server-data ${pie}><xi:include href='file:///etc/passwd'/></server-data>`, 'not named by a relative path'],
  [`<server-data ${pie}><xi:include href='x' parse='text'/></server-data>`, 'with `parse` or `xpointer`'],
  [`<server-data ${pie}><xi:include href='bad.xml'/></server-data>`, 'foreign <server-data/> of urn:xmpp:pie:0'],
  [`<server-data ${pie}><host jid='x'><user name='u'><query></user></host></server-data>`, 'unexpected close tag'],
])('says what is wrong with a file: %s', async (text, words) => {
  expect((await told({ 'bad.xml': text })).at(-1)).toContain(words);
});

it('leaves aside what is larger than anything that is kept, and goes on', async () => {
  const photo = `<vCard xmlns='vcard-temp'>${`<PHOTO>${'x'.repeat(1_000_000)}</PHOTO>`.repeat(9)}</vCard>`;
  const events = await told({
    'large.xml': `<server-data ${pie}><host jid='x'><user name='u'>${photo}<vCard/></user><user name='v'/></host></server-data>`,
  });
  expect(events.map((event) => event.replace(/ \/.*/, ''))).toEqual([
    'host x',
    'user u',
    'too-large <vCard/> of vcard-temp',
    "part <vCard xmlns='urn:xmpp:pie:0'/>",
    'user-end ',
    'user v',
    'user-end ',
  ]);
});

it('ends where files include each other for ever', async () => {
  const file = `<xi:include ${pie} href='again.xml'/>`;
  const first = `<server-data ${pie}><xi:include href='again.xml'/></server-data>`;
  expect((await told({ 'first.xml': first, 'again.xml': file })).at(-1)).toContain('eight levels');
});

it('leaves files aside that are parts of others, where a folder is read', async () => {
  expect(await told({ 'part.xml': `<host ${pie} jid='x'><user name='u'/></host>` }, true)).toEqual([]);
});

it('never does anything but to tell what it reads, or why not', async () => {
  const whole = `<server-data ${pie}><host jid='a'><user name='u' password='p'><query xmlns='jabber:iq:roster'><item jid='b@c'/></query><offline-messages><message xmlns='jabber:client'/></offline-messages><x/></user></host></server-data>`;
  const place = fc.nat(whole.length);
  await fc.assert(
    fc.asyncProperty(place, place, fc.string({ maxLength: 4 }), async (at, other, put) => {
      const cut = Math.min(at, other);
      const broken = whole.slice(0, cut) + put + whole.slice(cut + (Math.max(at, other) % 12));
      expect(Array.isArray(await told({ 'fuzz.xml': broken }))).toBe(true);
    }),
    { numRuns: 200 },
  );
});
