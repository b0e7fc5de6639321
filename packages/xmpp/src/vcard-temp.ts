import { Element } from './element.ts';
import { NS } from './namespaces.ts';

/** What a vCard4 (RFC 6351) says, as a vcard-temp says it, as far as that can (XEP-0292 §8, the other way round). */
export function vcardOf(vcard4: Element): Element {
  return temp('vCard', ...vcard4.elements.filter(({ ns }) => ns === NS.vcard4).flatMap(fieldsOf));
}

const temp = (name: string, ...children: (Element | string)[]): Element => Element.of(name, NS.vcard, {}, ...children);

const texts = (name: string, text: string): Element[] => (text === '' ? [] : [temp(name, text)]);

/** Parts of a structured property by what vcard-temp calls them. */
const NAME = { surname: 'FAMILY', given: 'GIVEN', additional: 'MIDDLE', prefix: 'PREFIX', suffix: 'SUFFIX' };
/** As vCard 4 calls them, too. */
export const ADDRESS = {
  pobox: 'POBOX',
  ext: 'EXTADD',
  street: 'STREET',
  locality: 'LOCALITY',
  region: 'REGION',
  code: 'PCODE',
  country: 'CTRY',
};
const TYPES: readonly string[] = ['home', 'work', 'voice', 'fax', 'cell', 'video', 'pager', 'text'];

function fieldsOf(property: Element): Element[] {
  const text = property.childText('text') ?? '';
  const uri = property.childText('uri') ?? '';
  switch (property.name) {
    case 'fn':
    case 'nickname':
    case 'title':
    case 'role':
    case 'uid':
    case 'note':
    case 'tz':
      return texts(property.name === 'note' ? 'DESC' : property.name.toUpperCase(), text);
    case 'bday':
      return texts('BDAY', property.childText('date') ?? text);
    case 'url':
      return texts('URL', uri);
    case 'impp':
      return uri.startsWith('xmpp:') ? texts('JABBERID', uri.slice(5)) : [];
    case 'n':
      return structured('N', property, NAME);
    case 'adr':
      return structured('ADR', property, ADDRESS);
    case 'tel':
      return text === '' && uri === '' ? [] : [temp('TEL', ...types(property), temp('NUMBER', text || number(uri)))];
    case 'email':
      return text === '' ? [] : [temp('EMAIL', ...types(property), temp('USERID', text))];
    case 'org': {
      const [name = '', ...units] = property.elements.filter((child) => child.name === 'text').map((each) => each.text);
      return name === '' ? [] : [temp('ORG', temp('ORGNAME', name), ...units.map((unit) => temp('ORGUNIT', unit)))];
    }
    case 'photo':
    case 'logo':
      return picture(property.name.toUpperCase(), uri);
    default:
      return [];
  }
}

function structured(name: string, property: Element, parts: Readonly<Record<string, string>>): Element[] {
  const given = Object.entries(parts).flatMap(([part, field]) => texts(field, property.childText(part) ?? ''));
  return given.length === 0 ? [] : [temp(name, ...types(property), ...given)];
}

function types(property: Element): Element[] {
  const named =
    property
      .child('parameters')
      ?.child('type')
      ?.elements.map(({ text }) => text.toLowerCase()) ?? [];
  return TYPES.filter((type) => named.includes(type)).map((type) => temp(type.toUpperCase()));
}

/** RFC 3966 */
function number(uri: string): string {
  try {
    return decodeURI(uri.replace(/^tel:/, ''));
  } catch {
    return uri;
  }
}

function picture(name: string, uri: string): Element[] {
  const [, type, base64] = /^data:([a-z]+\/[a-z0-9.+-]+);base64,(.+)$/is.exec(uri) ?? [];
  if (type !== undefined && base64 !== undefined) return [temp(name, temp('TYPE', type), temp('BINVAL', base64))];
  return uri === '' ? [] : [temp(name, temp('EXTVAL', uri))];
}
