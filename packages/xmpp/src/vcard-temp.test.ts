import { expect, it } from 'vitest';
import { elementFromText } from './element-text.ts';
import { vcardOf } from './vcard-temp.ts';
import { vcard4Of } from './vcard4.ts';

const both = (content: string) => {
  const vcard = elementFromText(`<vCard xmlns='vcard-temp'>${content}</vCard>`);
  return vcardOf(vcard4Of(vcard)).elements.map(String).join('').replaceAll(" xmlns='vcard-temp'", '');
};

it.each([
  '<FN>Juliet</FN><NICKNAME>Giulia</NICKNAME><TITLE>Heir</TITLE><ROLE>Daughter</ROLE><UID>1</UID><DESC>a &amp; b</DESC>',
  '<N><FAMILY>Capulet</FAMILY><GIVEN>Juliet</GIVEN></N><BDAY>1300-07-31</BDAY><URL>https://x.example/</URL>',
  '<ADR><HOME/><STREET>Via Cappello 23</STREET><LOCALITY>Verona</LOCALITY></ADR><JABBERID>juliet@capulet.lit</JABBERID>',
  '<TEL><WORK/><VOICE/><NUMBER>+39-045-1</NUMBER></TEL><EMAIL><HOME/><USERID>j@capulet.lit</USERID></EMAIL>',
  '<ORG><ORGNAME>House</ORGNAME><ORGUNIT>Balcony</ORGUNIT></ORG>',
  '<PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO><LOGO><EXTVAL>https://x.example/l.png</EXTVAL></LOGO>',
])('what vCard4 can say comes back: %s', (content) => {
  expect(both(content)).toBe(content);
});

it('leaves out what it does not know, and what says nothing', () => {
  expect(both('<FN/><N/><ADR/><ORG/><PHOTO/>')).toBe('');
  const vcard4 = `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>J</text></fn><kind><text>x</text></kind><fn xmlns='urn:x'/></vcard>`;
  expect(vcardOf(elementFromText(vcard4)).elements.map(({ name }) => name)).toEqual(['FN']);
});
