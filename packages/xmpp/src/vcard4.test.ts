import { expect, it } from 'vitest';
import { NS } from './namespaces.ts';
import { stanzaFromText } from './stanza-text.ts';
import { vcard4Of } from './vcard4.ts';

function converted(content: string): string {
  const stanza = stanzaFromText(Buffer.from(`<iq type='result'><vCard xmlns='${NS.vcard}'>${content}</vCard></iq>`));
  if (stanza.payload === undefined) throw new Error('There is no vCard.');
  const text = String(vcard4Of(stanza.payload));
  return text
    .replace(`<vcard xmlns='${NS.vcard4}'>`, '')
    .replace('</vcard>', '')
    .replace(`<vcard xmlns='${NS.vcard4}'/>`, '');
}

it.each([
  ['<FN>Peter Saint-Andre</FN>', '<fn><text>Peter Saint-Andre</text></fn>'],
  [
    '<N><FAMILY>Saint-Andre</FAMILY><GIVEN>Peter</GIVEN><MIDDLE/></N>',
    '<n><surname>Saint-Andre</surname><given>Peter</given><additional/></n>',
  ],
  [
    '<N><FAMILY>A</FAMILY><PREFIX>Dr.</PREFIX></N>',
    '<n><surname>A</surname><given/><additional/><prefix>Dr.</prefix></n>',
  ],
  ['<NICKNAME>stpeter</NICKNAME>', '<nickname><text>stpeter</text></nickname>'],
  ['<URL>https://stpeter.im/</URL>', '<url><uri>https://stpeter.im/</uri></url>'],
  ['<BDAY>1966-08-06</BDAY>', '<bday><date>1966-08-06</date></bday>'],
  ['<BDAY>long ago</BDAY>', '<bday><text>long ago</text></bday>'],
  ['<ORG><ORGNAME>XSF</ORGNAME><ORGUNIT>Board</ORGUNIT></ORG>', '<org><text>XSF</text><text>Board</text></org>'],
  [
    '<TEL><WORK/><VOICE/><PREF/><NUMBER>+1 303 308 3282</NUMBER></TEL>',
    '<tel><parameters><type><text>work</text><text>voice</text></type><pref><integer>1</integer></pref></parameters><uri>tel:+1-303-308-3282</uri></tel>',
  ],
  ['<TEL><MODEM/><NUMBER>7</NUMBER></TEL>', '<tel><uri>tel:7</uri></tel>'],
  [
    '<ADR><HOME/><STREET>Wynkoop Street</STREET><LOCALITY>Denver</LOCALITY><PCODE>80202</PCODE><CTRY>USA</CTRY></ADR>',
    '<adr><parameters><type><text>home</text></type></parameters><pobox/><ext/><street>Wynkoop Street</street><locality>Denver</locality><region/><code>80202</code><country>USA</country></adr>',
  ],
  ['<EMAIL><INTERNET/><USERID>a@b</USERID></EMAIL>', '<email><text>a@b</text></email>'],
  ['<JABBERID>a@b</JABBERID>', '<impp><uri>xmpp:a@b</uri></impp>'],
  ['<TITLE>Director</TITLE><ROLE>Saint</ROLE>', '<title><text>Director</text></title><role><text>Saint</text></role>'],
  ['<DESC>More</DESC>', '<note><text>More</text></note>'],
  ['<GEO><LAT>39.59</LAT><LON>-105.01</LON></GEO>', '<geo><uri>geo:39.59,-105.01</uri></geo>'],
  [
    '<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>\n/9j/\n4AAQ</BINVAL></PHOTO>',
    '<photo><uri>data:image/jpeg;base64,/9j/4AAQ</uri></photo>',
  ],
  ['<PHOTO><EXTVAL>https://a/b.jpg</EXTVAL></PHOTO>', '<photo><uri>https://a/b.jpg</uri></photo>'],
  [
    '<PHOTO><TYPE>a;b</TYPE><BINVAL>AAAA</BINVAL></PHOTO>',
    '<photo><uri>data:application/octet-stream;base64,AAAA</uri></photo>',
  ],
  ['<MAILER>x</MAILER><FN/><TEL/><N/><x xmlns="urn:other">y</x>', ''],
])('makes of %s %s', (temp, next) => {
  expect(converted(temp)).toBe(next);
});
