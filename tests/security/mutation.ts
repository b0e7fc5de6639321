import { NS } from '@parley/xmpp/namespaces';
import fc from 'fast-check';

/** Texts that streams, SASL, forms and addresses are made of, and what has broken parsers before. */
export const dictionary: readonly Buffer[] = [
  `<?xml version='1.0'?>`,
  `<stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`,
  '</stream:stream>',
  '<message',
  '<presence',
  '<iq',
  '</message>',
  '</iq>',
  '<body>',
  '</body>',
  '/>',
  '>',
  '<',
  '</',
  `'`,
  '"',
  '=',
  ' ',
  '\r\n',
  '\r',
  ` type='get'`,
  ` type='set'`,
  ` type='result'`,
  ` type='error'`,
  ` id='1'`,
  ` to='localhost'`,
  ` to='romeo@localhost/orchard'`,
  ` from='juliet@localhost'`,
  ` xml:lang='en'`,
  ` xmlns='${NS.client}'`,
  ` xmlns=''`,
  ` xmlns:p='urn:p'`,
  ` xmlns:xml='${NS.xml}'`,
  ` p:a=''`,
  '<p:a/>',
  '<xml:a/>',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '<?a b?>',
  '&lt;',
  '&amp;',
  '&b;',
  '&#0;',
  '&#xD800;',
  '&#x10FFFF;',
  '&#13;',
  `<starttls xmlns='${NS.tls}'/>`,
  `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>`,
  `<auth xmlns='${NS.sasl}' mechanism='SCRAM-SHA-1'>`,
  `<response xmlns='${NS.sasl}'>`,
  `<abort xmlns='${NS.sasl}'/>`,
  '</auth>',
  '</response>',
  'AGp1bGlldABzZWNyZXQ=',
  'biwsbj1qdWxpZXQscj1h',
  '=',
  `<bind xmlns='${NS.bind}'><resource>a</resource></bind>`,
  `<session xmlns='${NS.session}'/>`,
  `<query xmlns='${NS.roster}'>`,
  `<ping xmlns='${NS.ping}'/>`,
  `<x xmlns='${NS.dataForms}' type='submit'>`,
  `<field var='a' type='list-multi'><value>`,
  '\u0000',
  '\u00e9',
  '\u{1f600}',
  '\ufeff',
  '\ufffe',
  '\u2028',
  '__proto__',
  'constructor',
  'n,,n=juliet,r=a',
  'y,,',
  'p=tls-exporter,,',
  'c=biws,r=',
  ',p=',
  '@',
  '/',
  '\u00df',
  'xn--',
].map((text) => Buffer.from(text));

const badBytes = [[0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0xe2, 0x82]];
const tokens = [...dictionary, ...badBytes.map((bytes) => Buffer.from(bytes))];

/** One change of some bytes: `at` and `what` are taken modulo what there is, so that any numbers do. */
export interface Mutation {
  readonly kind: 'flip' | 'byte' | 'insert' | 'replace' | 'delete' | 'repeat' | 'cut';
  readonly at: number;
  readonly what: number;
}

export const KINDS: readonly Mutation['kind'][] = ['flip', 'byte', 'insert', 'replace', 'delete', 'repeat', 'cut'];

const one: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...KINDS),
  at: fc.nat(4000),
  what: fc.nat(10_000),
});

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(one, { minLength: 1, maxLength: 3 });

export function mutate(bytes: Buffer, list: readonly Mutation[]): Buffer {
  return list.reduce(apply, bytes);
}

function apply(bytes: Buffer, { kind, at, what }: Mutation): Buffer {
  const start = at % (bytes.length + 1);
  const before = bytes.subarray(0, start);
  const rest = bytes.subarray(start);
  const length = 1 + (what % 32);
  switch (kind) {
    case 'flip':
      return rest.length === 0
        ? bytes
        : Buffer.concat(
            [before, [(rest[0] as number) ^ (1 << (what % 8))], rest.subarray(1)].map((each) => Buffer.from(each)),
          );
    case 'byte':
      return Buffer.concat([before, Buffer.from([what % 256]), rest.subarray(1)]);
    case 'insert':
      return Buffer.concat([before, tokens[what % tokens.length] as Buffer, rest]);
    case 'replace': {
      const token = tokens[what % tokens.length] as Buffer;
      return Buffer.concat([before, token, rest.subarray(token.length)]);
    }
    case 'delete':
      return Buffer.concat([before, rest.subarray(length)]);
    case 'repeat':
      return Buffer.concat([before, rest.subarray(0, length), rest]);
    case 'cut':
      return before;
  }
}

/** The beginning of one and the end of another. */
export function splice(one: Buffer, other: Buffer, at: number, from: number): Buffer {
  return Buffer.concat([one.subarray(0, at % (one.length + 1)), other.subarray(from % (other.length + 1))]);
}
