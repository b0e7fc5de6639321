import { Element, type Node } from './element.ts';
import { NS } from './namespaces.ts';
import { ADDRESS } from './vcard-temp.ts';

const V4 = NS.vcard4;

/** Types of addresses, numbers and mail addresses that vCard4 has, too (XEP-0292 §8.3). */
const TYPES: readonly string[] = ['HOME', 'WORK', 'TEXT', 'VOICE', 'FAX', 'CELL', 'VIDEO', 'PAGER'];

/** A vCard4 (RFC 6351) that says what a vcard-temp says, as far as it can (XEP-0292 §8). */
export function vcard4Of(vcard: Element): Element {
  return Element.of('vcard', V4, {}, ...vcard.elements.flatMap((element) => propertiesOf(element)));
}

function propertiesOf(element: Element): Element[] {
  const { name, text } = element;
  if (element.ns !== NS.vcard) return [];
  const of = (child: string): string => element.childText(child) ?? '';
  switch (name) {
    case 'FN':
    case 'NICKNAME':
    case 'TITLE':
    case 'ROLE':
    case 'UID':
    case 'NOTE':
      return textProperty(name.toLowerCase(), text);
    case 'DESC': // §8.1.1
      return textProperty('note', text);
    case 'TZ':
      return textProperty('tz', text);
    case 'URL':
      return uriProperty('url', text);
    case 'JABBERID': // §8.1.2
      return text === '' ? [] : uriProperty('impp', `xmpp:${text}`);
    case 'BDAY':
      if (text === '') return [];
      return [property('bday', /^\d{4}-\d\d-\d\d$/.test(text) ? leaf('date', text) : leaf('text', text))];
    case 'N':
      return structured('n', element, { surname: 'FAMILY', given: 'GIVEN', additional: 'MIDDLE' }, [
        ['prefix', 'PREFIX'],
        ['suffix', 'SUFFIX'],
      ]);
    case 'ADR':
      return structured('adr', element, ADDRESS);
    case 'TEL': {
      const number = of('NUMBER').trim();
      return number === '' ? [] : [property('tel', ...parameters(element), leaf('uri', `tel:${telephone(number)}`))];
    }
    case 'EMAIL':
      return of('USERID') === '' ? [] : [property('email', ...parameters(element), leaf('text', of('USERID')))];
    case 'ORG': {
      const units = element.elements.filter((child) => child.name === 'ORGUNIT').map((unit) => unit.text);
      return textProperty('org', of('ORGNAME'), ...units);
    }
    case 'GEO':
      return of('LAT') === '' || of('LON') === '' ? [] : uriProperty('geo', `geo:${of('LAT')},${of('LON')}`);
    case 'CATEGORIES': {
      const words = element.elements.filter((child) => child.name === 'KEYWORD').map((word) => word.text);
      return textProperty('categories', ...words);
    }
    case 'PHOTO':
    case 'LOGO':
      return uriProperty(name.toLowerCase(), pictureUri(of('TYPE'), of('BINVAL'), of('EXTVAL')));
    default:
      return [];
  }
}

const leaf = (name: string, text: string): Element => Element.of(name, V4, {}, ...(text === '' ? [] : [text]));

const property = (name: string, ...children: Node[]): Element => Element.of(name, V4, {}, ...children);

function textProperty(name: string, ...texts: string[]): Element[] {
  const given = texts.filter((text) => text !== '');
  return given.length === 0 ? [] : [property(name, ...given.map((text) => leaf('text', text)))];
}

const uriProperty = (name: string, uri: string): Element[] => (uri === '' ? [] : [property(name, leaf('uri', uri))]);

/** One with parts, of which the optional ones are left out where they say nothing. */
function structured(
  name: string,
  element: Element,
  parts: Readonly<Record<string, string>>,
  optional: readonly (readonly [part: string, child: string])[] = [],
): Element[] {
  const all = [
    ...Object.entries(parts).map(([part, child]) => leaf(part, element.childText(child) ?? '')),
    ...optional.map(([part, child]) => leaf(part, element.childText(child) ?? '')).filter(({ text }) => text !== ''),
  ];
  return all.every(({ text }) => text === '') ? [] : [property(name, ...parameters(element), ...all)];
}

function parameters(element: Element): Element[] {
  const types = TYPES.filter((type) => element.child(type) !== undefined);
  const preferred = element.child('PREF') !== undefined;
  if (types.length === 0 && !preferred) return [];
  const children: Element[] = [];
  if (types.length > 0) children.push(property('type', ...types.map((type) => leaf('text', type.toLowerCase()))));
  if (preferred) children.push(property('pref', leaf('integer', '1')));
  return [property('parameters', ...children)];
}

/** RFC 3966 §3: digits and visual separators; what else people write is encoded. */
const telephone = (number: string): string => encodeURI(number.replaceAll(/\s+/g, '-'));

function pictureUri(type: string, binary: string, external: string): string {
  if (binary === '') return external;
  const base64 = binary.replaceAll(/\s+/g, '');
  return `data:${/^[a-z]+\/[a-z0-9.+-]+$/i.test(type) ? type : 'application/octet-stream'};base64,${base64}`;
}
