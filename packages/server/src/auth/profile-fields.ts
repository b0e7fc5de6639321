import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';

/** What a profile can say of somebody beside the photo, as texts. */
export const PROFILE_FIELDS = [
  'fullName',
  'familyName',
  'givenName',
  'middleName',
  'nickname',
  'title',
  'role',
  'organization',
  'unit',
  'email',
  'phone',
  'mobile',
  'fax',
  'pager',
  'homePhone',
  'street',
  'locality',
  'region',
  'postalCode',
  'country',
  'birthday',
  'url',
  'description',
] as const;

export type ProfileField = (typeof PROFILE_FIELDS)[number];

/** Fields with what they say: no field without a value, and no value that is empty. */
export type ProfileValues = ReadonlyMap<ProfileField, readonly string[]>;

/** Elements of a vcard-temp (XEP-0054) that hold one text. */
const PLAIN: readonly (readonly [field: ProfileField, element: string])[] = [
  ['fullName', 'FN'],
  ['nickname', 'NICKNAME'],
  ['title', 'TITLE'],
  ['role', 'ROLE'],
  ['birthday', 'BDAY'],
  ['url', 'URL'],
  ['description', 'DESC'],
];

/** Elements whose parts are fields of their own. */
const STRUCTURED: readonly (readonly [element: string, parts: readonly (readonly [ProfileField, string])[]])[] = [
  [
    'N',
    [
      ['familyName', 'FAMILY'],
      ['givenName', 'GIVEN'],
      ['middleName', 'MIDDLE'],
    ],
  ],
  [
    'ORG',
    [
      ['organization', 'ORGNAME'],
      ['unit', 'ORGUNIT'],
    ],
  ],
  [
    'ADR',
    [
      ['street', 'STREET'],
      ['locality', 'LOCALITY'],
      ['region', 'REGION'],
      ['postalCode', 'PCODE'],
      ['country', 'CTRY'],
    ],
  ],
];

/** Kinds of telephone numbers, by what marks them: the first that fits. */
const NUMBERS: readonly (readonly [field: ProfileField, marks: readonly string[]])[] = [
  ['fax', ['WORK', 'FAX']],
  ['pager', ['WORK', 'PAGER']],
  ['mobile', ['CELL']],
  ['homePhone', ['HOME', 'VOICE']],
  ['phone', ['WORK', 'VOICE']],
];

const element = (name: string, ...children: (Element | string)[]): Element =>
  Element.of(name, NS.vcard, {}, ...children);

/** The elements of a vCard that say what the fields say. */
export function elementsOf(values: ProfileValues): Element[] {
  const elements: Element[] = [];
  const all = (field: ProfileField): readonly string[] => values.get(field) ?? [];
  for (const [field, name] of PLAIN) for (const text of all(field).slice(0, 1)) elements.push(element(name, text));
  for (const [name, parts] of STRUCTURED) {
    const children = parts.flatMap(([field, part]) => {
      const texts = field === 'unit' ? all(field) : all(field).slice(0, 1);
      return texts.map((text) => element(part, text));
    });
    if (children.length > 0) elements.push(element(name, ...(name === 'ADR' ? [element('WORK')] : []), ...children));
  }
  for (const text of all('email')) elements.push(element('EMAIL', element('INTERNET'), element('USERID', text)));
  for (const [field, marks] of NUMBERS) {
    const kinds = marks.map((mark) => element(mark));
    for (const text of all(field)) elements.push(element('TEL', ...kinds, element('NUMBER', text)));
  }
  return elements;
}

/** The fields that an element of a vCard is about, with what it says of them; none for what no field is about. */
export function fieldsOf(child: Element): readonly (readonly [field: ProfileField, values: readonly string[]])[] {
  if (child.ns !== NS.vcard) return [];
  const plain = PLAIN.find(([, name]) => name === child.name);
  if (plain !== undefined) return [[plain[0], given(child.text)]];
  if (child.name === 'ADR' && child.child('HOME') !== undefined) return [];
  const structured = STRUCTURED.find(([name]) => name === child.name);
  if (structured !== undefined) {
    return structured[1].map(([field, part]) => [
      field,
      child.elements.filter((each) => each.is(part, NS.vcard)).flatMap((each) => given(each.text)),
    ]);
  }
  if (child.name === 'EMAIL') return [['email', given(child.childText('USERID') ?? '')]];
  if (child.name !== 'TEL') return [];
  const marked = (mark: string) => child.child(mark) !== undefined;
  const [field] = NUMBERS.find(([, marks]) =>
    marked(marks.at(-1) === 'VOICE' ? (marks[0] as string) : (marks.at(-1) as string)),
  ) ?? ['phone'];
  return [[field, given(child.childText('NUMBER') ?? '')]];
}

const given = (text: string): string[] => (text.trim() === '' ? [] : [text.trim()]);
