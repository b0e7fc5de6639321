import { NS } from '@parley/xmpp/namespaces';

/** What a hostile client sends, over and over where it has an end, and the condition that ends its stream. */
export interface Attack {
  readonly name: string;
  /** The beginning, sent once. */
  readonly once: string | Buffer;
  /** Sent again and again behind it until the stream ends. */
  readonly again?: string;
  readonly condition: string;
}

const repeat = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join('');

const LAUGHS =
  `<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY a0 "lol">` +
  `${repeat(9, (i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`)}]><stream:stream>&a9;`;

/** Before anything else was sent. */
export const ATTACKS_AT_FIRST: readonly Attack[] = [
  { name: 'entities that grow', once: LAUGHS, condition: 'restricted-xml' },
  {
    name: 'an entity from a file',
    once: `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`,
    condition: 'restricted-xml',
  },
  {
    name: 'a document type without end',
    once: '<!DOCTYPE a [',
    again: '<!ENTITY b "c">',
    condition: 'policy-violation',
  },
  { name: 'a comment', once: '<!-- -->', condition: 'restricted-xml' },
  { name: 'a name without end', once: '<', again: 'a'.repeat(1000), condition: 'policy-violation' },
  { name: 'white space without end', once: ' ', again: ' '.repeat(1000), condition: 'policy-violation' },
  { name: 'a web browser', once: 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', condition: 'not-well-formed' },
  { name: 'a TLS handshake', once: Buffer.from('16030100f1010000ed0303', 'hex'), condition: 'not-well-formed' },
  { name: 'UTF-16', once: Buffer.from('\ufeff<stream>', 'utf16le'), condition: 'not-well-formed' },
  {
    name: 'a header of 40,000 attributes',
    once: `<stream:stream ${repeat(40_000, (i) => `a${i}='' `)}>`,
    condition: 'policy-violation',
  },
];

/** Behind a header, before authentication. */
export const ATTACKS_BEFORE_AUTHENTICATION: readonly Attack[] = [
  {
    name: 'a message',
    once: `<message to='juliet@localhost/canary'><body>x</body></message>`,
    condition: 'not-authorized',
  },
  { name: 'presence', once: '<presence/>', condition: 'not-authorized' },
  {
    name: 'a roster request',
    once: `<iq type='get' id='1'><query xmlns='${NS.roster}'/></iq>`,
    condition: 'not-authorized',
  },
  { name: 'a binding', once: `<iq type='set' id='1'><bind xmlns='${NS.bind}'/></iq>`, condition: 'not-authorized' },
  {
    name: 'a session',
    once: `<iq type='set' id='1'><session xmlns='${NS.session}'/></iq>`,
    condition: 'not-authorized',
  },
  {
    name: 'another header',
    once: `<stream:stream to='localhost' version='1.0'>`,
    again: '<a/>',
    condition: 'policy-violation',
  },
  { name: 'text', once: 'text', again: 'text'.repeat(100), condition: 'policy-violation' },
  { name: 'depth', once: '<a>', again: '<a>'.repeat(1000), condition: 'policy-violation' },
  { name: 'many children', once: `<auth xmlns='${NS.sasl}'>`, again: '<a/>', condition: 'policy-violation' },
  {
    name: 'a long password',
    once: `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>`,
    again: 'AAAA'.repeat(1000),
    condition: 'policy-violation',
  },
  { name: 'many attributes', once: `<auth ${repeat(17, (i) => `a${i}='' `)}/>`, condition: 'policy-violation' },
  { name: 'an attribute without end', once: `<auth a='`, again: 'x'.repeat(1000), condition: 'policy-violation' },
  {
    name: 'a CDATA section without end',
    once: '<auth><![CDATA[',
    again: ']]'.repeat(100),
    condition: 'policy-violation',
  },
  { name: 'a reference without end', once: '<auth>&', again: 'x'.repeat(1000), condition: 'policy-violation' },
  { name: 'a comment without end', once: '<!--', again: '- '.repeat(100), condition: 'policy-violation' },
  { name: 'an end tag without end', once: '<auth></', again: 'x'.repeat(1000), condition: 'policy-violation' },
];

const open = (content: string) => `<message to='juliet@localhost/canary'>${content}`;
/** Prefixes that 60 nested elements declare, 250 each, as far as they fit. */
const manyPrefixes = repeat(60, (level) => `<a${repeat(50, (i) => ` xmlns:p${level}q${i}='b'`)}>`);
const LONG_NAME = 'u'.repeat(1000);
const manyNames = repeat(255, (i) => ` p:a${i}=''`);

/** In the middle of a session. */
export const ATTACKS_IN_SESSION: readonly Attack[] = [
  { name: 'a stanza without end', once: open('<body>'), again: 'x'.repeat(10_000), condition: 'policy-violation' },
  { name: 'depth', once: open(''), again: '<a>'.repeat(1000), condition: 'policy-violation' },
  {
    name: 'deep levels again and again',
    once: open(''),
    again: `${'<a>'.repeat(60)}${'</a>'.repeat(60)}`.repeat(10),
    condition: 'policy-violation',
  },
  { name: 'children without end', once: open(''), again: '<a/>'.repeat(1000), condition: 'policy-violation' },
  { name: '40,000 attributes', once: `<message ${repeat(40_000, (i) => `a${i}='' `)}>`, condition: 'policy-violation' },
  {
    name: 'many attributes on many elements',
    once: open(''),
    again: `<a ${repeat(256, (i) => `a${i}='' `)}/>`,
    condition: 'policy-violation',
  },
  {
    name: 'prefixes declared on every level, and again by each child',
    once: open(manyPrefixes),
    again: `<a xmlns:b='c'/>`.repeat(1000),
    condition: 'policy-violation',
  },
  {
    name: 'short names for a long namespace',
    once: `<message xmlns:p='${LONG_NAME}'>`,
    again: `<a${manyNames}/>`,
    condition: 'policy-violation',
  },
  { name: 'a namespace too long', once: `<message xmlns:p='${LONG_NAME.repeat(2)}'/>`, condition: 'policy-violation' },
  { name: 'a name without end', once: '<message><', again: 'a'.repeat(10_000), condition: 'policy-violation' },
  { name: 'a comment', once: open('<!-- -->'), condition: 'restricted-xml' },
  { name: 'a processing instruction', once: open('<?php phpinfo() ?>'), condition: 'restricted-xml' },
  { name: 'a document type', once: '<!DOCTYPE a>', condition: 'not-well-formed' },
  { name: 'an entity', once: open('<body>&lol;</body>'), condition: 'not-well-formed' },
  { name: 'an undeclared prefix', once: open('<p:body/>'), condition: 'bad-namespace-prefix' },
  { name: 'text between stanzas', once: 'text<presence/>', condition: 'bad-format' },
  { name: 'bytes that are not UTF-8', once: Buffer.from([0xed, 0xa0, 0x80]), condition: 'not-well-formed' },
  {
    name: 'half of a character, smuggled',
    once: Buffer.concat([Buffer.from(open('<body>')), Buffer.from([0xe2, 0x82]), Buffer.from('</body></message>')]),
    condition: 'not-well-formed',
  },
  { name: 'NUL', once: open('<body>\0</body>'), condition: 'not-well-formed' },
  { name: 'a control character', once: open('<body>&#1;</body>'), condition: 'not-well-formed' },
  {
    name: 'another header',
    once: `<stream:stream to='localhost' version='1.0'>`,
    again: '</stream:stream>',
    condition: 'unsupported-stanza-type',
  },
  { name: 'an unknown element', once: `<message xmlns='urn:a'/>`, condition: 'unsupported-stanza-type' },
  {
    name: 'a stanza of servers',
    once: `<message xmlns='jabber:server' to='juliet@localhost/canary'/>`,
    condition: 'unsupported-stanza-type',
  },
  {
    name: 'another login',
    once: `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>`,
    condition: 'policy-violation',
  },
  {
    name: 'a false sender',
    once: `<message from='juliet@localhost/canary' to='juliet@localhost/canary'/>`,
    condition: 'invalid-from',
  },
];

/** Proper or not, there may be thousands of them in what one read brings. */
export const FLOODS: readonly string[] = [
  '<iq/>',
  '<presence/>',
  '<message/>',
  `<message to='@'/>`,
  `<message to='juliet@localhost'/>`,
  `<message to='nobody@localhost'/>`,
  `<presence to='juliet@localhost'/>`,
  `<presence to='juliet@localhost' type='subscribe'/>`,
  `<iq type='get' id='1'><ping xmlns='${NS.ping}'/></iq>`,
  `<iq type='get' id='1'><query xmlns='${NS.roster}'/></iq>`,
  `<iq type='set' id='1'><query xmlns='${NS.roster}'><item jid='a@b'/></query></iq>`,
  `<iq type='get' id='1' to='localhost'><query xmlns='${NS.discoInfo}'/></iq>`,
  `<iq type='set' id='1'><bind xmlns='${NS.bind}'/></iq>`,
];
